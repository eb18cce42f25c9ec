import fcntl
import pathlib
import time


def test_before():
    assert True


def test_alone_with_it():
    with open(pathlib.Path.home() / "port", "w") as port:
        fcntl.flock(port, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # As long as a run takes: whoever runs beside comes by in the meantime.
        time.sleep(0.8)


def test_after():
    assert True
