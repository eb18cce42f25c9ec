"""Copies of a run: forked from it, they run a few tests and are gone."""

import os

from .child import own_capture


class Mute:
    """The stream of a copy: what its tests report is nobody's."""

    def _nothing(self, *_, **__):
        pass

    event = start = fin = passed_phase = passed = flush = _nothing


def begin(session, reporter, lean, capture):
    """In a copy, before its first test. `capture` are the files behind pytest's capture."""
    reporter.stream = Mute()
    manager = session.config.pluginmanager.get_plugin("capturemanager")
    if manager is not None:
        # The short protocol leaves it going between tests.
        manager.suspend_global_capture(in_=False)
    own_capture(capture)
    if lean is not None:
        lean.renew()


def run(reporter, item, following):
    """Runs one test in a copy; then `reporter.failed` says how it went."""
    reporter.begin(0)
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def fork():
    """The number of a copy, 0 in the copy, `None` where there is none."""
    try:
        return os.fork()
    except OSError:
        return None


def wait(pid):
    """How a copy ended: 0, or something else; `None` where that is unknown."""
    if pid is None:
        return None
    try:
        return os.waitpid(pid, 0)[1]
    except OSError:  # a test has put something in place that waits for all children
        return None
