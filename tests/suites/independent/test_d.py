import noise


def test_quiet():
    assert not noise.heard
