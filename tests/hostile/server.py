"""Forks a child that leads its own group, writes to the log it is given, ignores SIGINT and never ends.

Prints `forked PID`, and `reaped STATUS` once the child has gone.
"""

import os
import signal
import sys

child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.write(1, b"the first line\n" + b"x" * 100000)
    os.write(2, b"\nready\n")
    while True:
        signal.pause()
print("forked", child, flush=True)
print("reaped", os.waitpid(child, 0)[1], flush=True)
