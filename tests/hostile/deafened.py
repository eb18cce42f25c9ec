"""Becomes the given program with every signal ignored and blocked that can be: the worst of parents."""

import os
import signal
import sys

for each in signal.Signals:
    if each not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(each, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
os.execv(sys.argv[1], sys.argv[1:])
