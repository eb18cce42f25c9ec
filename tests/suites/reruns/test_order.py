state = []


def test_polluter():
    state.append(1)


def test_victim():
    assert state == []
