import state


def test_alpha():
    state.seen.add("alpha")


def test_beta():
    state.seen.add("beta")
