"""The short protocol, for forked runs that nobody but us watches.

A test that simply passes has its three phases run through the same hooks and wrappers as ever (fixtures, capture,
logging, warnings, timeouts), but no report is made of them: half of what an empty test costs is reports. Whatever does
not simply pass is reported in full.
"""

from functools import partial

import pytest

from .around import standing, within
from .neutralise import module_of
from .terminal import mute

# Hooks that the short protocol does not call where all went well. (`pytest_exception_interact` and the wrappers of
# `pytest_runtest_protocol` are called as ever; `pytest_report_teststatus` belongs to the terminal.)
_SILENT = (
    "pytest_runtest_makereport",
    "pytest_runtest_logstart",
    "pytest_runtest_logreport",
    "pytest_runtest_logfinish",
)

# Their hooks only decorate reports or the terminal.
_HARMLESS = ("_pytest", "flakehunt_plugin", "_hypothesis_pytestplugin", "pytest_sugar")


def obstacle(config):
    """Why the short protocol would not be faithful here; `None` where it would."""
    for name in _SILENT:
        for implementation in _foreign(config, name):
            return f"{module_of(implementation.plugin)} implements {name}"
    for implementation in _foreign(config, "pytest_runtest_protocol"):
        if not (implementation.hookwrapper or getattr(implementation, "wrapper", False)):
            return f"{module_of(implementation.plugin)} implements pytest_runtest_protocol"
    if config.option.__dict__.get("log_cli_level") is not None or _live_log(config):
        return "live logging is on"
    if _keys() is None:
        return "this pytest keeps its marks elsewhere"
    return None


def _foreign(config, name):
    implementations = getattr(config.hook, name).get_hookimpls()
    return [found for found in implementations if module_of(found.plugin).split(".")[0] not in _HARMLESS]


def _live_log(config):
    try:
        return bool(config.getini("log_cli"))
    except (KeyError, ValueError):  # `-p no:logging`
        return False


def _keys():
    """Where pytest's own makereport finds the xfail mark in play, and where tmp_path looks for results."""
    try:
        from _pytest.skipping import xfailed_key
    except ImportError:
        return None
    if not hasattr(pytest, "Stash"):  # before pytest 7.0
        return None
    try:
        from _pytest.tmpdir import tmppath_result_key
    except ImportError:  # before pytest 7.3
        tmppath_result_key = None
    return xfailed_key, tmppath_result_key


class Proxies:
    """Which hooks a file is seen by, found once for each: pytest asks five times a test, from all conftest files."""

    def __init__(self):
        self.known = {}

    def take_over(self, session):
        """From now on the session asks here."""
        find, known = session.gethookproxy, self.known

        def gethookproxy(fspath):
            try:
                return known[fspath]
            except KeyError:
                proxy = known[fspath] = find(fspath)
                return proxy

        session.gethookproxy = gethookproxy

    def forget(self):
        """There is a plugin that was not there."""
        self.known.clear()


class Lean:
    """Registered before the fork; acts where a child has switched it on."""

    def __init__(self, reporter, config):
        from _pytest.runner import CallInfo, check_interactive_exception

        self.active = self.started = False
        self.reporter = reporter
        self.xfailed, self.results = _keys()
        self.call_info = CallInfo.from_call
        self.interactive = check_interactive_exception
        self.reraise = (pytest.exit.Exception, KeyboardInterrupt)
        self.around = standing(config)
        self.proxies = Proxies()

    def switch_on(self, session, junit):
        """In a child: this run is not listened to, and leaves no JUnit file of pytest's own."""
        config = session.config
        self.active = self.started = True
        self.proxies.take_over(session)
        for one in self.around:
            one.start(config)
        if junit is not None:
            mute(config, junit)

    @staticmethod
    def brief(config):
        """Has failures told by their exception only: any traceback parses the files that it shows."""
        if config.option.__dict__.get("tbstyle") == "auto":
            config.option.tbstyle = "line"

    def renew(self):
        """In a copy of the child, with captured files of its own."""
        if self.active:
            for one in self.around:
                one.renew()

    def stop(self):
        """After the last test."""
        if self.started:
            for one in reversed(self.around):
                one.stop()

    @pytest.hookimpl
    def pytest_plugin_registered(self, plugin, manager):
        """A fixture may register somebody who listens: from then on reports are made. It may also have taken a plugin
        away, which we stood in for, and bring it back: with all of its hooks."""
        self.proxies.forget()
        self.around = [one for one in self.around if one.plugin is not plugin]
        names = (*_SILENT, "pytest_runtest_protocol")
        if self.active and any(hasattr(plugin, name) for name in names):
            self.active = False
            for one in self.around:
                one.give_back()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        """Takes the place of pytest's runner; wrappers of the same hook go on around it."""
        if not self.active:
            return None
        if hasattr(item, "_request") and not item._request:
            item._initrequest()
        try:
            self._phases(item, nextitem)
        finally:
            if hasattr(item, "_request"):
                item._request = False
                item.funcargs = None
        return True

    def _phases(self, item, nextitem):
        hook = item.ihook
        if self._phase(item, "setup", partial(hook.pytest_runtest_setup, item=item)):
            self._phase(item, "call", partial(hook.pytest_runtest_call, item=item))
        if item.session.shouldfail or item.session.shouldstop:
            nextitem = None
        self._phase(item, "teardown", partial(hook.pytest_runtest_teardown, item=item, nextitem=nextitem))
        if not self.active:
            hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _phase(self, item, when, run):
        reporter = self.reporter
        if self.around:
            run = partial(within, self.around, item, when, run)
        call = self.call_info(run, when=when, reraise=self.reraise)
        if (
            self.active
            and call.excinfo is None
            and not item.__dict__.get("_excinfo")  # unittest hands its failures over here
            and not reporter.subtests
            and item.stash.get(self.xfailed, None) is None
        ):
            if self.results is not None:
                item.stash.setdefault(self.results, {})[when] = True
            reporter.silently(when, call.duration)
            return True
        hook = item.ihook
        report = hook.pytest_runtest_makereport(item=item, call=call)
        hook.pytest_runtest_logreport(report=report)
        if self.interactive(call, report):
            hook.pytest_exception_interact(node=item, call=call, report=report)
        return report.passed
