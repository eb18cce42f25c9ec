"""The order and the loop are ours: a private list, run by an object registered after the collection."""

from os.path import join

import pytest

from . import artefacts, lean, seeds, terminal
from .bound import LIB, read_json, text
from .clone import fresh
from .failure import MESSAGE_LENGTH, Raised, clip, ending, fields
from .fan import Fan
from .serve import Server
from .snapshot import Snapshots

EXTRA_IDS = 1000


class Reporter:
    """Turns pytest's reports into phase records of the test that is running."""

    def __init__(self, session, stream):
        self.stream = stream
        self.config = session.config
        self.sections = False
        self.begin(-1)
        self.directories = _directories(session.config)

    def begin(self, position):
        """The order's `position`-th test begins."""
        self.position = position
        self.raised = None
        self.subtests = False
        self.silent = []
        self.spoken = False
        self.failed = False

    def silently(self, when, seconds):
        """A phase passed; it is worth a record of its own only where another phase did not."""
        if self.spoken:
            self.stream.passed_phase(self.position, when, seconds)
        else:
            self.silent.append((when, seconds))

    def _speak(self):
        self.spoken = True
        for when, seconds in self.silent:
            self.stream.passed_phase(self.position, when, seconds)

    def end(self):
        """The test is over."""
        if self.silent and not self.spoken:
            self.stream.passed(self.position, sum(seconds for _, seconds in self.silent))
        else:
            self.stream.fin(self.position)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_makereport(self, item, call):
        """Remembers the exception: a report holds its text only."""
        yield
        excinfo = call.excinfo
        self.raised = None if excinfo is None else Raised(excinfo, self.directories)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        """One report, one record."""
        raised, self.raised = self.raised, None
        if self.position < 0 or report.outcome not in ("passed", "failed", "skipped"):
            return
        if not self.spoken:
            self._speak()
        self.failed = self.failed or report.outcome == "failed"
        when = report.when
        seconds = getattr(report, "duration", 0.0)
        subtest = hasattr(report, "context")
        if subtest:
            self.subtests = True
        elif self.subtests and when == "call":
            # pytest 9 fails a test for its subtests in this hook, which the terminal reporter used to call.
            self.config.hook.pytest_report_teststatus(report=report, config=self.config)
        plain = report.outcome == "passed" and report.longrepr is None and not self.sections
        if plain and not subtest and not hasattr(report, "wasxfail"):
            self.stream.passed_phase(self.position, when, seconds)
            return
        more = fields(report, raised if report.outcome != "passed" else None, self.sections, self.directories)
        self.stream.event(
            "phase", n=self.position, when=when, outcome=report.outcome, seconds=round(seconds, 6), **more
        )


def _directories(config):
    root = str(getattr(config, "rootpath", None) or config.rootdir)
    invoked = str(config.invocation_params.dir)
    return tuple(dict.fromkeys((join(root, ""), join(invoked, ""))))


class Order:
    """A run's list of items, each with its number in the suite."""

    def __init__(self, run, match):
        self.numbers = read_json(run["order"])
        size = len(match.items)
        self.missing = sorted({i for i in self.numbers if not 0 <= i < size or match.items[i] is None})
        self.items = []
        if self.missing:
            return
        used = set()
        for number in self.numbers:
            item = match.items[number]
            if number in used:
                item = fresh(item)
            used.add(number)
            self.items.append(item)
        for position, item in enumerate(self.items):
            item.user_properties.append(("fh_nodeid", text(item.nodeid)))
            item.user_properties.append(("fh_n", position))


class Late:
    """Registered last, so that its loop is called first; no conftest can get in front of it."""

    def __init__(self, plugin, session, match):
        self.plugin = plugin
        self.session = session
        self.match = match
        self.run = plugin.request.get("run")
        self.reporter = Reporter(session, plugin.stream)
        manager = session.config.pluginmanager
        manager.register(self.reporter, "flakehunt_reporter")
        self.lean = None
        serves = plugin.request["mode"] == "serve"
        if (serves or (self.run or {}).get("lean")) and lean.obstacle(session.config) is None:
            self.lean = lean.Lean(self.reporter, session.config)
            manager.register(self.lean, "flakehunt_lean")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        """pytest's own loop, over our list."""
        if session.testsfailed and not session.config.option.continue_on_collection_errors:
            raise session.Interrupted(f"{session.testsfailed} error(s) during collection")
        mode = self.plugin.request["mode"]
        if mode == "collect":
            return True
        run = self.run
        if mode == "serve":
            run = Server(self.plugin, session, self.lean).serve()
        else:
            if run.get("hold"):
                self.hold(session, run["hold"])
            self.plugin.frost.freeze()
            self.plugin.exit.arm(session)
            if self.lean is not None and not run.get("sections"):
                self.lean.switch_on(session, artefacts.junit_log(session.config))
        return self.perform(session, run)

    def hold(self, session, path):
        """Waits until the driver has a place for the tests."""
        began = LIB.monotonic()
        with LIB.builtin_open(path, "rb", 0) as file:
            word = file.read(1)
        if not word:
            raise session.Interrupted("flakehunt is gone")
        self.plugin.stream.event("go", waited=round(LIB.monotonic() - began, 6))

    def perform(self, session, run):
        """Runs one order to its end."""
        stream, config = self.plugin.stream, session.config
        order = Order(run, self.match)
        partial = run.get("partial")
        missing = order.missing if partial else sorted({*self.match.missing, *order.missing})
        if missing or self.match.extra:
            stream.event("mismatch", missing=missing, extra=self.match.extra[:EXTRA_IDS])
        if order.missing:
            raise pytest.UsageError(f"flakehunt: {len(order.missing)} tests of the order were not collected")
        session.items[:] = order.items
        session.testscollected = len(order.items)
        terminal.quieten(config)
        seeds.seed(run.get("random_seed"))
        self.reporter.sections = bool(run.get("sections"))
        if self.lean is not None and self.lean.active and run.get("brief"):
            self.lean.brief(config)
        snapshots = None
        if run.get("probes"):
            snapshots = Snapshots(self.plugin, session, self.reporter, self.lean, order, run, self.match)
        try:
            self.execute(session, order, run, snapshots)
        finally:
            if snapshots is not None:
                snapshots.close()
            stream.flush()
            if self.lean is not None:
                self.lean.stop()
        return True

    def execute(self, session, order, run, snapshots):
        """The full protocol of pytest for each item."""
        stream, reporter, items = self.plugin.stream, self.reporter, order.items
        keep, max_fail, failed = not run.get("fresh_fixtures"), run.get("max_fail"), 0
        for position, item in enumerate(items):
            if snapshots is not None and snapshots.found(position):
                return
            following = items[position + 1] if keep and position + 1 < len(items) else None
            reporter.begin(position)
            stream.start(order.numbers[position], position)
            try:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except BaseException as error:  # a test that ends the session: Ctrl-C of its own, `pytest.exit`
                stream.event("interrupt", n=position, **ending(error))
                raise
            reporter.end()
            failed += reporter.failed
            if failed == max_fail:
                return
            why = session.shouldfail or session.shouldstop
            if why and position + 1 < len(items):
                stream.event("cut", n=position, reason=clip(text(why), MESSAGE_LENGTH))
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        if snapshots is not None:
            snapshots.found(len(items))
        if run.get("fan"):
            Fan(self.plugin, session, reporter, self.lean, run, self.match).spread()
