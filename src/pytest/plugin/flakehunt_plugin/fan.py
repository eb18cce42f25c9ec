"""Many short lines of tests, each tried by a copy of a process that has run no test.

A copy costs less than half of what a child of the server does: folders, streams and reports are those of the run that it
comes from. What it says is a hint.
"""

from . import copies
from .bound import LIB
from .child import capture_files, own_basetemp
from .clone import fresh


class Fan:
    """The lines of one run."""

    def __init__(self, plugin, session, reporter, lean, run, match):
        self.session = session
        self.stream = plugin.stream
        self.reporter = reporter
        self.lean = lean
        self.match = match
        self.lines = run["fan"]
        self.basetemp = run.get("basetemp")
        self.capture = capture_files(session.config)

    def spread(self):
        """One line after another."""
        for k in range(len(self.lines)):
            self.stream.event("trying", k=k)
            pid = copies.fork()
            if pid == 0:
                try:
                    self._line(k)
                finally:
                    LIB.exit(0)
            copies.wait(pid)

    def _line(self, k):
        copies.begin(self.session, self.reporter, self.lean, self.capture)
        if self.basetemp:
            own_basetemp(self.session.config, f"{self.basetemp}-{k}")
        self.stream.pid = LIB.getpid()
        items, used = [], set()
        for number in self.lines[k]:
            item = self.match.items[number]
            items.append(fresh(item) if number in used else item)
            used.add(number)
        for place, item in enumerate(items):
            following = items[place + 1] if place + 1 < len(items) else None
            copies.run(self.reporter, item, following)
            self.stream.event("tried", k=k, failed=self.reporter.failed)
