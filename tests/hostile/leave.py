"""Leaves a process behind that would live for ever, prints its number, and exits with 7.

hold: it keeps our output open; quiet: it does not; twice: quiet, and its parent is gone;
setsid: quiet, in a session of its own; hold-setsid: both.
"""

import os
import signal
import sys

how = sys.argv[1]
told, tell = os.pipe()
if os.fork() == 0:
    if how == "twice" and os.fork():
        os._exit(0)
    if "setsid" in how:
        os.setsid()
    if "hold" not in how:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGABRT):
        signal.signal(each, signal.SIG_IGN)
    os.write(tell, str(os.getpid()).encode())
    while True:
        signal.pause()
if how == "twice":
    os.wait()
print("left", os.read(told, 20).decode(), flush=True)
sys.exit(7)
