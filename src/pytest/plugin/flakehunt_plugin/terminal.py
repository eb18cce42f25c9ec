"""Nobody reads pytest's terminal output, so a test is not reported there.

The reporter itself stays registered: plugins and conftest files look it up, and assertion rewriting needs its writer.
"""

from contextlib import suppress

_PER_TEST = (
    "pytest_runtest_logstart",
    "pytest_runtest_logreport",
    "pytest_runtest_logfinish",
    "pytest_warning_recorded",
)


def quieten(config):
    """Takes the reporter's implementations of the per-test hooks out of their callers."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    for name in _PER_TEST:
        remove = getattr(getattr(config.hook, name, None), "_remove_plugin", None)  # pluggy's own, not public
        if remove is None:
            continue
        with suppress(ValueError):  # it has no such implementation
            remove(reporter)
