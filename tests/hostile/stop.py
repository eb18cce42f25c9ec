"""Stops itself; only somebody else can make it go on. Then it behaves."""

import os
import signal
import sys


def interrupted(_signal, _frame):
    print("interrupted", flush=True)
    sys.exit(0)


signal.signal(signal.SIGINT, interrupted)
print("ready", flush=True)
while True:
    os.kill(os.getpid(), signal.SIGSTOP)
