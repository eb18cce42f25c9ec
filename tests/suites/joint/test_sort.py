import options


def test_ascending():
    assert sorted([2, 1]) == [1, 2]


def test_descending():
    options.chosen["descending"] = True
