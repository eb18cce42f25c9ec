"""Nothing is shared at import, and one test pollutes another: forking finds it."""

STATE = {"dirty": False}


def test_polluter():
    STATE["dirty"] = True


def test_victim():
    assert not STATE["dirty"]
