import pytest
import state


def test_interrupts():
    if state.SEEN:
        raise KeyboardInterrupt


def test_exits():
    if state.SEEN:
        pytest.exit("the database is gone")


def test_last():
    pass
