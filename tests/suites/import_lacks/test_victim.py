import ready


def test_victim():
    assert ready.STATE["ready"] and not ready.STATE["dirty"]
