import options


def test_narrow():
    options.chosen["narrow"] = True


def test_wide():
    assert list("ab") == ["a", "b"]
