import process


def test_corrupt():
    process.state.add("corrupt")


def test_stop():
    process.state.add("stop")
