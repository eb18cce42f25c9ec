"""Says which signals are ignored and which are blocked, and how large a core file may be."""

import resource
import signal

named = [each for each in signal.Signals if each not in (signal.SIGKILL, signal.SIGSTOP)]
# CPython itself ignores these two.
python = {signal.SIGPIPE, signal.SIGXFSZ}
ignored = [each.name for each in named if signal.getsignal(each) is signal.SIG_IGN and each not in python]
print("ignored", *sorted(ignored))
print("blocked", *sorted(signal.Signals(each).name for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])))
print("core", resource.getrlimit(resource.RLIMIT_CORE)[0])
