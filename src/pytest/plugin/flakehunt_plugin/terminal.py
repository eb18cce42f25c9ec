"""Nobody reads pytest's terminal output, so a test is not reported there.

The reporter itself stays registered: plugins and conftest files look it up, and assertion rewriting needs its writer.
"""

from contextlib import suppress

PER_TEST = (
    "pytest_runtest_logstart",
    "pytest_runtest_logreport",
    "pytest_runtest_logfinish",
    "pytest_warning_recorded",
)


def quieten(config):
    """Has the terminal reporter hear no more of single tests."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        mute(config, reporter, PER_TEST)


def mute(
    config, plugin, names=("pytest_runtest_logreport", "pytest_sessionfinish", "pytest_terminal_summary")
):
    """Takes a plugin's implementations out of some hooks and leaves it registered."""
    for name in names:
        remove = getattr(getattr(config.hook, name, None), "_remove_plugin", None)  # pluggy's own, not public
        if remove is not None:
            with suppress(ValueError):  # it has no such implementation
                remove(plugin)
