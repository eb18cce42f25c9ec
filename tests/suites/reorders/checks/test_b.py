import colors


def test_fresh(color):
    assert color not in colors.used
