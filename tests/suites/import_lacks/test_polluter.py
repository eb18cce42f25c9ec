import ready


def test_polluter():
    ready.STATE["dirty"] = True
