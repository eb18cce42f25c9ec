import os
import threading

from counted import count


def test_before():
    assert True


def test_dies_once():
    if count("dies") < 1:
        os._exit(3)


def test_between():
    assert True


def test_dies():
    os.abort()


def test_hangs_once():
    if count("hangs") < 1:
        threading.Event().wait()


def test_behind():
    assert True
