"""How a run leaves.

Everything that a process does up to its `atexit` handlers is done; only the interpreter's own demolition is left out.
In a forked child it would touch, and so copy, every page that the child shares with the server (half of a short run's
cost); in a process of its own it takes apart what the system takes back anyway (a tenth). Registered before the project is loaded, this handler is called after all of the project's.
"""

import atexit
import sys
from contextlib import suppress

from .bound import LIB


class Exit:
    """The last `atexit` handler."""

    def __init__(self):
        self.session = None
        self.unconfigured = False
        atexit.register(self)

    def arm(self, session):
        """In a run: leaves with the session's exit status."""
        self.session = session

    def __call__(self):
        # A session that did not end in order leaves in the ordinary way, with the ordinary exit code.
        if self.session is None or not self.unconfigured:
            return
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        LIB.exit(int(self.session.exitstatus))
