"""A process id that is remembered at import: in a forked child it is that of the server."""

import os

PID = os.getpid()


def test_pid():
    assert os.getpid() == PID
