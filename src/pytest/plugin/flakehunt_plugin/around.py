"""What stands around the phases of a test in the short protocol: captured output and log records.

pytest puts its files in the place of the output before each phase and takes them away after it, and its handlers on and
off the loggers: half of what an empty test costs. Here both stay from one phase to the next, for as long as a test has
left everything as pytest would set it up anew; where it has not, pytest's own functions put it right.
"""

import logging
import sys
from contextlib import suppress
from io import StringIO

from .bound import LIB
from .neutralise import module_of
from .terminal import mute

_PHASES = ("pytest_runtest_setup", "pytest_runtest_call", "pytest_runtest_teardown")


def standing(config):
    """What can stand here, each in the order in which it begins."""
    for name in _PHASES:
        for found in getattr(config.hook, name).get_hookimpls():
            wraps = found.hookwrapper or getattr(found, "wrapper", False)
            if wraps and module_of(found.plugin).split(".")[0] != "_pytest":
                return []  # what it says and logs is outside of what a test captures
    found = ((Logs, _logs(config)), (Output, _output(config)))
    return [kind(plugin, config) for kind, plugin in found if plugin]


def within(around, item, when, run):
    """Runs a phase between the beginning and the end of what stands around it."""
    __tracebackhide__ = True
    # A fixture may unregister a plugin, so that its hooks do not act on its tests.
    around = [one for one in around if one.registered()]
    for one in around:
        one.begin(item, when)
    try:
        run()
    finally:
        try:
            if around:
                around[-1].end(item, when)  # fails where the test has closed a captured file
        finally:
            for one in around[:-1]:
                one.end(item, when)


def _output(config):
    manager = config.pluginmanager.get_plugin("capturemanager")
    capturing = getattr(manager, "_global_capturing", None)
    both = [getattr(capturing, name, None) for name in ("out", "err")]
    if [type(one).__name__ for one in both] != ["FDCapture"] * 2:
        return None  # `-s` and its like cost little
    return manager if [one.targetfd for one in both] == [1, 2] else None


def _logs(config):
    plugin = config.pluginmanager.get_plugin("logging-plugin")
    if getattr(plugin, "log_level", 0) is not None:
        return None  # a level is set anew for each phase
    return plugin


class _Standing:
    """Takes the place of a plugin in the hooks of the phases."""

    def __init__(self, plugin, config):
        self.plugin = plugin
        self.manager = config.pluginmanager
        self.name = self.manager.get_name(plugin)
        self.taken = []

    def registered(self):
        """Whether the plugin is there, for its hooks to act."""
        return self.manager.get_plugin(self.name) is self.plugin

    def start(self, config):
        """In a child, before its first test."""
        for name in _PHASES:
            caller = getattr(config.hook, name)
            self.taken += [(caller, one) for one in caller.get_hookimpls() if one.plugin is self.plugin]
        mute(config, self.plugin, _PHASES)

    def renew(self):
        """In a copy of the child."""

    def give_back(self):
        """Pytest's own protocol goes on from here."""
        if not self.registered():
            self.taken = []  # registered again it brings all of its hooks
        while self.taken:
            caller, implementation = self.taken.pop(0)
            caller._add_hookimpl(implementation)  # pluggy's own, not public


class Output(_Standing):
    """Captured output."""

    def __init__(self, manager, config):
        super().__init__(manager, config)
        self.files = ()

    def start(self, config):
        """In a child, before its first test."""
        super().start(config)
        capturing = self.plugin._global_capturing
        self.files = [(one.targetfd, one.tmpfile) for one in (capturing.out, capturing.err)]
        self.renew()

    def renew(self):
        """There are other files behind the captured ones now."""
        self.identities = [_identity(LIB.fstat(file.fileno())) for _, file in self.files]

    def begin(self, item, when):
        """A phase begins."""
        # Told apart as pytest does it itself; where it keeps its state elsewhere, it is asked each time.
        if getattr(self.plugin._global_capturing, "_state", None) != "started":
            self.plugin.resume_global_capture()
        self.plugin.activate_fixture()

    def end(self, item, when):
        """A phase is over."""
        self.plugin.deactivate_fixture()
        if self._as_begun() and self.registered():
            return
        self.plugin.suspend_global_capture(in_=False)
        out, err = self.plugin.read_global_capture()
        item.add_report_section(when, "stdout", out)
        item.add_report_section(when, "stderr", err)

    def stop(self):
        """After the last test."""
        self.plugin.suspend_global_capture(in_=False)

    def _as_begun(self):
        """Nothing was written, and the output still goes to the captured files."""
        (_, out), (_, err) = self.files
        if sys.stdout is not out or sys.stderr is not err or out.closed or err.closed:
            return False
        try:
            for (fd, _), identity in zip(self.files, self.identities):
                found = LIB.fstat(fd)
                if found.st_size or _identity(found) != identity:
                    return False
        except OSError:
            return False
        return True


def _identity(found):
    return found.st_dev, found.st_ino


class Logs(_Standing):
    """Log records, for the `caplog` fixture and for reports."""

    def __init__(self, plugin, config):
        from _pytest.logging import caplog_handler_key, caplog_records_key, catching_logs

        super().__init__(plugin, config)
        self.catching = catching_logs
        self.handler, self.records = caplog_handler_key, caplog_records_key
        self.handlers = [plugin.caplog_handler, plugin.report_handler]
        self.attached = []
        self.loggers = None

    def begin(self, item, when):
        """A phase begins."""
        if not self._as_begun():
            self.stop()
            for handler in self.handlers:
                attached = self.catching(handler, level=None)
                attached.__enter__()
                self.attached.append(attached)
            self.loggers = getattr(self.attached[0], "attached_loggers", None)
        for handler in self.handlers:
            handler.records = []
            if handler.stream.tell():
                handler.stream = StringIO()
        stash = item.stash
        if when == "setup":
            stash[self.records] = {}
        stash[self.records][when] = self.handlers[0].records
        stash[self.handler] = self.handlers[0]

    def end(self, item, when):
        """A phase is over."""
        log = self.handlers[1].stream
        if log.tell():
            item.add_report_section(when, "log", log.getvalue().strip())
        if when == "teardown":
            for key in (self.records, self.handler):
                with suppress(KeyError):
                    del item.stash[key]
        if not self.registered():
            self.stop()

    def stop(self):
        """After the last test, and where a test has changed something."""
        while self.attached:
            self.attached.pop().__exit__(None, None, None)

    def _as_begun(self):
        """The handlers are the last ones of all loggers that pytest would add them to."""
        if not self.attached:
            return False
        root = logging.getLogger()
        if root.handlers[-2:] != self.handlers:
            return False
        if self.loggers is None:  # this pytest knows the root logger only
            return True
        silent = [
            logger
            for logger in root.manager.loggerDict.values()
            if not getattr(logger, "propagate", True) and logger is not root
        ]
        return silent == self.loggers[1:] and all(one.handlers[-2:] == self.handlers for one in silent)
