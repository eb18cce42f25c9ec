"""The stream of events: an append-only file, or a FIFO; one record a line, one write a record."""

import os

from .bound import LIB, high_fd

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)


class Stream:
    """Appends records until its process ends; silent in a process that a test has forked."""

    def __init__(self, path):
        self.path = path
        self.pid = LIB.getpid()
        self.fd = -1
        self.file = None
        self.held = b""
        self._open()

    def _open(self):
        self.fd = high_fd(LIB.open(self.path, _FLAGS, 0o644))
        self.file = self._identity()

    def _identity(self):
        stat = LIB.fstat(self.fd)
        return stat.st_dev, stat.st_ino

    def _ours(self):
        # A test may close every descriptor and open files of its own under the same numbers.
        try:
            return self._identity() == self.file
        except OSError:
            return False

    def raw(self, line):
        """Appends one record, given as ASCII bytes with the final newline."""
        if LIB.getpid() != self.pid:
            return
        if self.held:
            line, self.held = self.held + line, b""
        if not self._ours():
            self._open()
        while line:
            line = line[LIB.write(self.fd, line) :]

    def event(self, name, **fields):
        """Appends one event."""
        record = {"event": name}
        record.update(fields)
        self.raw((LIB.encode(record) + "\n").encode("ascii"))

    def start(self, index, position):
        """Test `index` begins as the order's `position`-th."""
        self.raw(b'{"event":"start","i":%d,"n":%d}\n' % (index, position))

    def fin(self, position):
        """The order's `position`-th test is over."""
        self.raw(b'{"event":"fin","n":%d}\n' % position)

    def passed_phase(self, position, when, seconds):
        """A phase that passed and has nothing else to say: nearly every record of a healthy suite."""
        line = '{"event":"phase","n":%d,"when":"%s","outcome":"passed","seconds":%.6f}\n'
        self.raw((line % (position, when, seconds)).encode("ascii"))

    def passed(self, position, seconds):
        """Stands for three passed phases and `fin`; written together with what comes next, the start of a test."""
        self.held = b'{"event":"pass","n":%d,"seconds":%.6f}\n' % (position, seconds)

    def flush(self):
        """Writes what waits for the next record: no test is running."""
        if self.held:
            self.raw(b"")

    def move(self, path):
        """Goes on in another file, in a process forked from the one that opened the stream."""
        old, ours = self.fd, self._ours()
        self.path, self.pid = path, LIB.getpid()
        self._open()
        if ours:
            LIB.close(old)
