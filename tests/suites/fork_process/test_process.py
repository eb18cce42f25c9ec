"""A program that is started at import: a forked child cannot wait for it, and takes it for dead."""

import atexit
import subprocess

QUIET = subprocess.DEVNULL
PROGRAM = subprocess.Popen(["sleep", "600"], stdin=QUIET, stdout=QUIET, stderr=QUIET)


@atexit.register
def end():
    PROGRAM.kill()
    PROGRAM.wait()


def test_lives():
    assert PROGRAM.poll() is None
