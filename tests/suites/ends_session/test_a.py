import state


def test_one():
    pass


def test_pollutes():
    state.SEEN.add("x")
