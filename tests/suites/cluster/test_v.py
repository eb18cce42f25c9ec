import state


def test_a1():
    assert "alpha" not in state.seen


def test_a2():
    assert "alpha" not in state.seen


def test_a3():
    assert "alpha" not in state.seen


def test_b1():
    assert "beta" not in state.seen


def test_b2():
    assert "beta" not in state.seen
