import switch

switch.STATE["on"] = True


def test_on():
    assert switch.STATE["on"]
