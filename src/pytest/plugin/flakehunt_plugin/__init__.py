"""The pytest side of flakehunt: runs exactly the order it is given and says what happened.

The driver loads it with `-p flakehunt_plugin`; docs/plugin-protocol.md is the contract.
"""

import os
import platform
import sys

import pytest

sys.dont_write_bytecode = False  # for the modules beside this one; the project's files are redirected

from . import artefacts, bytecode, files, frost, gate, leave, neutralise, seeds, serve, suite
from .bound import LIB, read_json, text
from .failure import MESSAGE_LENGTH, clip, long_form, tail
from .loop import Late
from .stream import Stream


class Plugin:
    """One pytest session under flakehunt."""

    def __init__(self, request):
        self.request = request
        self.stream = Stream(request["stream"])
        self.deselected = 0
        self.frost = frost.Frost()
        self.requests = self.watch = self.exit = None
        if request["mode"] != "collect":
            self.exit = leave.Exit()
        if request["mode"] == "serve":
            self.requests = serve.take_requests()
            self.watch = gate.Watch()
        cache = request["cache"]
        bytecode.redirect(os.path.join(cache, "pycache"))
        run = request.get("run") or {}
        if run.get("tmpdir"):
            os.environ["TMPDIR"] = run["tmpdir"]
        home = run["basetemp"] + "-hypothesis" if run.get("basetemp") else os.path.join(cache, "hypothesis")
        seeds.keep_examples(home)
        # What modules draw when they are imported; before the tests it is seeded again.
        seeds.seed(run.get("random_seed"))

    def changed(self, changes):
        """Tells the driver what was neutralised."""
        for plugin, what in changes:
            self.stream.event("changed", plugin=plugin, what=what)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(self, early_config):
        """Says hello before any code of the project runs."""
        self.stream.event("hello", **_hello(early_config))
        self.changed(neutralise.before_conftests(early_config))
        yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config):
        """All options are parsed, and no plugin has acted on one yet."""
        self.changed(neutralise.options(config))
        run = self._run()
        self.changed(artefacts.before_configure(config, run))
        seeds.seed_plugins(config, run.get("random_seed"))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session):
        """Removes the plugins that no option stops."""
        self.changed(neutralise.unregister(session.config))
        run = self._run()
        artefacts.after_configure(session.config, run)
        if run.get("only_files") is not None:
            root = str(getattr(session.config, "rootpath", None) or session.config.rootdir)
            fewer = files.plugin(root, self.request["suite"], run["only_files"])
            session.config.pluginmanager.register(fewer, "flakehunt_files")

    def _run(self):
        if self.request["mode"] == "serve":  # JUnit has to see the collection; a child gives it the real path
            return {"junit": os.path.join(self.request["cache"], "server.xml")}
        return self.request.get("run") or {}

    def pytest_deselected(self, items):
        """Counts what `-k`, `-m` and the like leave out."""
        self.deselected += len(items)

    def pytest_collectreport(self, report):
        """A file that cannot be collected."""
        if report.failed:
            message = clip(tail(long_form(report)), MESSAGE_LENGTH)
            self.stream.event("collect-error", path=text(report.nodeid), message=message)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection(self, session):
        """After everybody else has had a hand in the collection."""
        outcome = yield
        if self.watch is not None:
            self.watch.end()
        if outcome.excinfo is not None:
            return
        items = list(session.items)
        if self.request["mode"] == "run":
            match = suite.Match(self.request["suite"], items)
        else:
            suite.write(self.request["suite"], items)
            match = suite.same(items)
        self.stream.event("collected", tests=len(items), deselected=self.deselected, unstable=match.unstable)
        session.config.pluginmanager.register(Late(self, session, match), "flakehunt_late")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session):
        """The last word, after every other plugin's."""
        self.frost.end()
        outcome = yield
        if outcome.excinfo is None:
            self.stream.event("end", code=int(session.exitstatus))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_unconfigure(self):
        """Whether the session's end went well."""
        outcome = yield
        if self.exit is not None:
            self.exit.unconfigured = outcome.excinfo is None


def _hello(config):
    plugins = []
    for _, distribution in config.pluginmanager.list_plugin_distinfo():
        pair = [text(distribution.project_name), text(distribution.version)]
        if pair not in plugins:
            plugins.append(pair)
    inifile = getattr(config, "inipath", None) or getattr(config, "inifile", None)
    return {
        "protocol": suite.PROTOCOL,
        "pid": LIB.getpid(),
        "python": platform.python_version(),
        "pytest": pytest.__version__,
        "rootdir": text(getattr(config, "rootpath", None) or config.rootdir),
        "inifile": None if inifile is None else text(inifile),
        "plugins": plugins,
    }


class _Begin:
    """Acts after the wrappers of the same hook, so after capturing has started, but before any conftest."""

    def __init__(self, watch):
        self.watch = watch

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self):
        self.watch.begin()


def pytest_addoption(parser, pluginmanager):
    """The first hook a plugin of `-p` receives: here the session's object joins it."""
    # Taken away, so that no pytest that a test may start with the same arguments takes it for its own.
    path = os.environ.pop("FLAKEHUNT_REQUEST", None)
    if path and not pluginmanager.has_plugin("flakehunt_session"):
        plugin = Plugin(read_json(path))
        pluginmanager.register(plugin, "flakehunt_session")
        if plugin.watch is not None:
            pluginmanager.register(_Begin(plugin.watch), "flakehunt_watch")
