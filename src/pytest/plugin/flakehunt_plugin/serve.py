"""The server: one collected process that forks a child for each run it is asked for."""

import gc
import os
import select
import signal
import sys
import warnings
from contextlib import suppress

from . import child
from .bound import LIB, high_fd
from .lean import obstacle

_CHUNK = 1 << 16


def take_requests():
    """Moves the pipe on standard input out of reach of the project's code."""
    fd = high_fd(os.dup(0))
    os.set_inheritable(fd, False)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return fd


class Server:
    """Reads runs, forks, reaps. Only a child leaves `serve`."""

    def __init__(self, plugin, session, lean):
        self.plugin = plugin
        self.session = session
        self.lean = lean
        self.requests = plugin.requests
        self.pid = LIB.getpid()
        self.children = {}
        self.rest = b""
        self.wake = ()
        self.signals = ()
        self.mask = ()

    def serve(self):
        """Returns the run in each child; the parent ends here."""
        try:
            own = {self.requests, self.plugin.stream.fd}
            reasons = self.plugin.watch.reasons(self.session, own)
            self.parcel = child.Parcel(self.plugin, self.session, self.lean)
            if hasattr(os, "fork"):
                self._prepare()
            refused = None if self.lean else obstacle(self.session.config)
            # pytest-randomly seeds before the collection, the same in every process.
            drawn = self.plugin.watch.drawn and not hasattr(self.session.config.option, "randomly_seed")
            self.plugin.stream.event("serving", unsafe=reasons, lean=refused, drawn=drawn)
            run = self._loop()
        except BaseException as error:
            if LIB.getpid() == self.pid:
                self._die(error)
            raise
        if LIB.getpid() == self.pid:
            self._end(0)
        return run

    def _prepare(self):
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            if stream is not None:
                stream.flush()
        self.wake = tuple(high_fd(fd) for fd in os.pipe())
        for fd in self.wake:
            os.set_blocking(fd, False)
        handler = signal.signal(signal.SIGCHLD, _nothing)
        self.mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        self.signals = (handler, signal.set_wakeup_fd(self.wake[1], warn_on_full_buffer=False))
        gc.collect()
        self.plugin.frost.freeze()

    def _loop(self):
        waiting = (self.requests, self.wake[0])
        while True:
            ready, _, _ = select.select(waiting, (), ())
            if self.wake[0] in ready:
                self._drain()
            self._reap()
            if self.requests in ready:
                chunk = os.read(self.requests, _CHUNK)
                if not chunk:
                    return None
                lines = (self.rest + chunk).split(b"\n")
                self.rest = lines.pop()
                for line in lines:
                    if line.strip():
                        run = self._fork(LIB.decode(line.decode("utf-8")))
                        if run is not None:
                            return run

    def _fork(self, run):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # threads were looked for above
                pid = os.fork()
        except OSError as error:
            self.plugin.stream.event("refused", run=run["id"], message=str(error))
            return None
        if pid:
            self._group(pid)
            self.children[pid] = run["id"]
            self.plugin.stream.event("forked", run=run["id"], pid=pid)
            return None
        handler, wakeup = self.signals
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL if handler is None else handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)
        for fd in (self.requests, *self.wake):
            LIB.close(fd)
        self._group(0)
        self.parcel.unpack(run)
        return run

    @staticmethod
    def _group(pid):
        try:
            os.setpgid(pid, pid)
        except OSError:  # the other process was faster, or the child is gone
            pass

    def _drain(self):
        try:
            while os.read(self.wake[0], _CHUNK):
                pass
        except BlockingIOError:
            pass

    def _reap(self):
        for pid, run in list(self.children.items()):
            done, status, usage = os.wait4(pid, os.WNOHANG)
            if not done:
                continue
            del self.children[pid]
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
            rss = usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss
            cpu = round(usage.ru_utime + usage.ru_stime, 6)
            self.plugin.stream.event("reaped", run=run, status=code, cpu=cpu, rss=rss)

    def _die(self, error):
        if not isinstance(error, KeyboardInterrupt):
            sys.excepthook(type(error), error, error.__traceback__)
        self._end(2 if isinstance(error, KeyboardInterrupt) else 1)

    def _end(self, code):
        for pid in self.children:
            try:
                os.killpg(pid, signal.SIGKILL)
            except OSError:
                pass
        with suppress(OSError):  # where the driver is gone, nobody reads
            self.plugin.stream.event("end", code=code)
        LIB.exit(code)


def _nothing(*_):
    """A handler, so that the signal is written to the wake-up descriptor."""
