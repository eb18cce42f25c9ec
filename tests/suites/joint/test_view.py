import options


def test_rows():
    assert len(options.chosen) < 2
