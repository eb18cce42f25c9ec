import threading

closed = threading.Event()
never = threading.Event()


def test_close():
    closed.set()


def test_get():
    if closed.is_set():
        never.wait()
