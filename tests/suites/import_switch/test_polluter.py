import switch


def test_polluter():
    switch.STATE["dirty"] = switch.STATE["on"]
