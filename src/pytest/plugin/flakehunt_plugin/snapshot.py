"""Where in an order does a test begin to fail, or to pass? Copies of the process try it in the middle of the run.

After every so many tests a copy is made that runs the test and is gone (a probe), and one that sleeps (a snapshot).
Where a probe shows what is looked for, the snapshot of the place before wakes up and goes the same way in shorter steps,
down to single tests. So one pass over the order finds the place, and nearly nothing is run twice.

What the copies tear down or write outside of the process is seen by the run they come from. The answer is a hint, and
whoever asked has to see it confirmed by runs without copies.
"""

import os
from contextlib import suppress

from . import copies, gate
from .bound import LIB, high_fd
from .child import capture_files
from .clone import fresh

# What a probe exits with; where it ends in any other way its test has ended it.
_PASSED, _NO_ANSWER = 76, 77


class Snapshots:
    """One pass over an order."""

    def __init__(self, plugin, session, reporter, lean, order, run, match):
        wanted = run["probes"]
        self.session = session
        self.stream = plugin.stream
        self.reporter = reporter
        self.lean = lean
        self.items = order.items
        self.first, self.end = wanted["from"], len(order.items)
        self.until = wanted["until"] == "Fail"
        self.strides = wanted["strides"]
        self.capture = capture_files(session.config)
        self.sockets = gate.sockets()
        self.sleeper = None
        used = set(order.numbers)
        self.tail = []
        for number in wanted["tail"]:
            item = match.items[number]
            self.tail.append(fresh(item) if number in used else item)
            used.add(number)

    def found(self, n):
        """Called when `n` tests have been run: whether what is looked for has been seen, so that the pass is over."""
        steps, last = n - self.first, n == self.end
        if steps < 0 or (steps % self.strides[0] and not last) or not self._lonely():
            return False
        if steps:
            failed = self._probe(n)
            if failed is None:
                return False
            if failed == self.until:
                self._send(b"!")
                return True
        if len(self.strides) > 1 and not last:
            self._send(b"")
            self._snapshot(n)
        return False

    def close(self):
        """The pass is over."""
        self._send(b"")

    def _lonely(self):
        """Whether the process has nothing that a copy would lack, or that both would have in their hands."""
        return gate.is_lonely(self.sockets, self.sleeper and self.sleeper[0])

    def _probe(self, n):
        """Runs the tail in a copy; whether its last test failed, `None` where nobody can say."""
        self.stream.flush()
        self.stream.event("probing", n=n)
        pid = copies.fork()
        if pid == 0:
            status = _NO_ANSWER
            try:
                self._become_a_copy()
                self.session._setupstate.teardown_exact(self.tail[0])
                status = 1
                self._run_tail()
                status = int(self.reporter.failed) or _PASSED
            finally:
                LIB.exit(status)
        status = copies.wait(pid)
        if status in (None, _NO_ANSWER << 8):
            return None
        failed = status != _PASSED << 8
        self.stream.event("probed", n=n, failed=failed)
        return failed

    def _run_tail(self):
        for place, item in enumerate(self.tail):
            # What outlives a test is not torn down after the last one: the run that goes on may need it.
            following = self.tail[place + 1] if place + 1 < len(self.tail) else fresh(item)
            copies.run(self.reporter, item, following)

    def _snapshot(self, n):
        """Leaves a copy that sleeps until it is woken, or until nobody is left to do so."""
        self.stream.flush()
        ear, mouth = (high_fd(fd) for fd in os.pipe())
        pid = copies.fork()
        if pid == 0:
            try:
                LIB.close(mouth)
                if os.read(ear, 1):
                    self._go_on(n, ear)
            finally:
                LIB.exit(0)
        LIB.close(ear)
        if pid is None:
            LIB.close(mouth)
        else:
            self.sleeper = pid, mouth

    def _go_on(self, n, ear):
        """In a snapshot that was woken: the same way in shorter steps."""
        LIB.close(ear)
        self._become_a_copy()
        self.stream.pid = LIB.getpid()
        self.first, self.end = n, min(n + self.strides.pop(0), self.end)
        self.sleeper = None
        for position in range(n, self.end):
            if self.found(position):
                return
            self.stream.event("probing", n=position)
            following = self.items[position + 1] if position + 1 < len(self.items) else None
            copies.run(self.reporter, self.items[position], following)
        self.found(self.end)
        self.close()

    def _become_a_copy(self):
        copies.begin(self.session, self.reporter, self.lean, self.capture)

    def _send(self, word):
        """Has the snapshot go on, or end; and waits until it has."""
        if self.sleeper is None:
            return
        pid, mouth = self.sleeper
        self.sleeper = None
        with suppress(OSError):
            os.write(mouth, word)
        LIB.close(mouth)
        copies.wait(pid)
