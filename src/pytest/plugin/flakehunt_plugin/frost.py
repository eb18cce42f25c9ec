"""Keeps the garbage collector from what was there before the tests, without anybody noticing.

Looking again and again through what was imported and collected costs a tenth of a short run, and in a forked child it
copies every page that the child shares with the server. A test that asks the collector itself sees everything.
"""

import functools
import gc

# In CPython before 3.14 the oldest generation is looked through after so many times of the one before it.
_NEVER = 1000000


class Frost:
    """What was frozen stays so until a test calls the collector."""

    def __init__(self):
        self.frozen = False
        self.threshold = gc.get_threshold()
        # Imports and the collection make much that stays, and would have all of it looked through over and over.
        gc.set_threshold(*self.threshold[:2], _NEVER)
        self.raised = gc.get_threshold()
        for name in ("collect", "get_objects", "get_referrers"):
            setattr(gc, name, self._thawing(getattr(gc, name)))

    def _thawing(self, original):
        @functools.wraps(original)
        def ask(*args, **kwargs):
            if self.frozen:
                self.frozen = False
                gc.unfreeze()
            return original(*args, **kwargs)

        return ask

    def freeze(self):
        """Freezes what there is. From now on the collector runs as often as ever, or as the project has said."""
        if gc.get_threshold() == self.raised:
            gc.set_threshold(*self.threshold)
        gc.freeze()
        self.frozen = True

    def end(self):
        """The tests are over: who calls the collector now is pytest, for what they left."""
        self.frozen = False
