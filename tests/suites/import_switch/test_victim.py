import switch


def test_victim():
    assert not switch.STATE["dirty"]
