"""The short protocol says the same about everything that did not simply pass."""

import random
from pathlib import Path

import pytest

from harness import Server, executed
from test_serve import _plain, _zoo
from test_stream import ZOO

MORE = """
    import gc, logging, sys, unittest, warnings
    import pytest

    def test_warning_as_error():
        with pytest.raises(UserWarning):
            warnings.warn("filtered")

    @pytest.mark.filterwarnings("ignore")
    def test_own_filter():
        warnings.warn("ignored")

    def test_caplog(caplog):
        logging.getLogger("x").error("boo")
        assert caplog.messages == ["boo"]

    @pytest.fixture
    def looks(tmp_path, request):
        yield tmp_path
        assert tmp_path.exists()

    def test_tmp(looks): pass

    def test_dynamic_tmp(request):
        assert request.getfixturevalue("tmp_path").exists()

    def test_xfail_added(request):
        request.applymarker(pytest.mark.xfail(strict=True, reason="added"))

    def test_xfail_called():
        pytest.xfail("called")

    @pytest.mark.xfail(run=False)
    def test_not_run(): assert 0

    def test_comparison():
        assert [1, 2, 3] == [1, 2, 4]

    def test_prints_and_fails(capsys):
        print("before")
        logging.getLogger("x").warning("logged")
        assert 0

    class TestUnit(unittest.IsolatedAsyncioTestCase):
        async def test_async(self):
            self.assertTrue(True)

        async def test_async_fails(self):
            self.fail("async")

    class TestClass:
        @classmethod
        def teardown_class(cls):
            raise RuntimeError("in teardown_class")

        def test_last(self): pass
"""


def _not_silent(result):
    """The records of tests that have more than a `pass`, and what the others amount to."""
    by_test = {}
    for event in result.events:
        if event["event"] in ("phase", "pass", "fin"):
            by_test.setdefault(event["n"], []).append(event)
    out = {}
    for n, events in by_test.items():
        phases = [e for e in events if e["event"] == "phase"]
        plain = [(e["when"], e["outcome"]) for e in phases] == [
            (w, "passed") for w in ("setup", "call", "teardown")
        ]
        if events[0]["event"] == "pass" or plain and not any("xfail" in e for e in phases):
            assert len(events) == (1 if events[0]["event"] == "pass" else 4)
            out[n] = "passed"
        else:
            assert events[-1]["event"] == "fin"
            result.events = events
            out[n] = _plain(result)
    return out


@pytest.mark.parametrize("options", [(), ("-s",), ("-W", "error:w0"), ("--runxfail",)])
def test_it_agrees_with_the_full_protocol(project, options):
    _zoo(project)
    project.write("test_c.py", ZOO).write("test_d.py", MORE)
    project.write("pytest.ini", "[pytest]\nfilterwarnings =\n    default\n    error:filtered\n")
    with Server(project, options) as server:
        serving = server.until("serving")
        assert serving["lean"] is None and serving["unsafe"] == []
        count = len(project.suite())
        for seed in range(2):
            order = list(range(count)) + [random.Random(seed).randrange(count) for _ in range(10)]
            random.Random(seed).shuffle(order)
            lean = server.run(order, lean=True, junit=None, random_seed=seed)
            full = project.run(order, *options, random_seed=seed)
            assert executed(lean) == executed(full) == order
            assert lean.code == full.code and lean.one("end") == full.one("end")
            assert len(lean.all("pass")) > 30
            lean_view, full_view = _not_silent(lean), _not_silent(full)
            for n in range(len(order)):
                assert lean_view[n] == full_view[n], project.suite()[order[n]]


@pytest.mark.parametrize(
    "hook",
    [
        "pytest_runtest_logreport(report): pass",
        "pytest_runtest_makereport(item, call): pass",
        "pytest_runtest_logstart(nodeid): pass",
        "pytest_runtest_protocol(item): pass",
    ],
)
def test_a_listener_is_served_in_full(project, hook):
    project.write("test_a.py", "def test_a(): pass\n").write("conftest.py", f"def {hook}\n")
    with Server(project) as server:
        name = hook.partition("(")[0]
        assert server.until("serving")["lean"] == "conftest implements " + name
        result = server.run([0, 0], lean=True)
        assert len(result.all("phase")) == 6 and len(result.all("fin")) == 2


def test_a_wrapper_of_the_protocol_is_called(project):
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): assert 0\n")
    project.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_protocol(item):
            print("around", item.name, flush=True)
            yield
        """,
    )
    with Server(project, ["-s"]) as server:
        assert server.until("serving")["lean"] is None
        result = server.run([0, 1, 0], lean=True)
        assert len(result.all("pass")) == 2 and result.bad() == [(1, "call")]
        assert result.output.count("around test_a") == 2


def test_a_process_of_its_own_runs_it_as_well(project):
    _zoo(project)
    project.write("test_d.py", MORE)
    project.collect()
    order = list(range(len(project.suite())))
    lean, full = project.run(order, lean=True), project.run(order)
    assert executed(lean) == executed(full) == order and lean.code == full.code
    assert len(lean.all("pass")) > 15 and not full.all("pass")
    assert _not_silent(lean) == _not_silent(full)
    assert not Path(lean.run["junit"]).exists() and Path(full.run["junit"]).exists()


def test_a_failure_in_a_probe_is_told_briefly(project):
    project.write("test_a.py", "def test_a(): pass\ndef test_b(): assert [1] == [2]\n")
    with Server(project) as server:
        server.until("serving")
        probe, order = server.run([0, 1], lean=True, brief=True), server.run([0, 1], lean=True)
        brief, long = (run.phases(outcome="failed")[0] for run in (probe, order))
        assert "assert [1] == [2]" in brief["text"] and ">   " not in brief.pop("text")
        assert ">   " in long.pop("text")
        for one in (brief, long):
            one.pop("seconds")
        assert brief == long


LEAVES = """
    import io, logging, os, sys
    import pytest

    ROOT = logging.getLogger()

    def _handlers(logger):
        return [type(handler).__name__ for handler in logger.handlers]

    def test_replaces_stdout():
        sys.stdout = io.StringIO()

    def test_redirects_the_descriptor():
        with open(os.devnull, "w") as null:
            os.dup2(null.fileno(), 1)

    @pytest.fixture
    def redirected():
        sys.stdout = io.StringIO()

    def test_after_a_fixture_that_replaces(redirected):
        print("said")
        assert type(sys.stdout).__name__ == "EncodedFile"

    def test_output_is_captured(capfd):
        print("said", flush=True)
        os.write(1, b"written")
        assert capfd.readouterr().out == "saidwritten".replace("said", "said\\n")

    def test_prints():
        print("left over")

    def test_sees_pytest_output():
        assert type(sys.stdout).__name__ == "EncodedFile" and not sys.stdout.closed
        assert os.fstat(1).st_size == 0 and os.fstat(1).st_ino == os.fstat(sys.stdout.fileno()).st_ino

    def test_removes_handlers():
        ROOT.handlers.clear()

    def test_adds_a_handler():
        ROOT.addHandler(logging.NullHandler())

    def test_handlers_stand_last():
        assert _handlers(ROOT)[-2:] == ["LogCaptureHandler"] * 2
        assert _handlers(ROOT).count("LogCaptureHandler") == 2

    def test_logger_of_its_own():
        logging.getLogger("own").propagate = False

    def test_logger_of_its_own_is_heard(caplog):
        logging.getLogger("own").error("boo")
        heard = not logging.getLogger("own").propagate or caplog.messages == ["boo"]
        assert heard and caplog.messages in ([], ["boo"])
        assert caplog.get_records("setup") == []

    @pytest.fixture
    def logs():
        ROOT.error("in setup")

    def test_records_by_phase(logs, caplog):
        ROOT.error("in call")
        assert caplog.messages == ["in call"]
        assert [record.message for record in caplog.get_records("setup")] == ["in setup"]

    def test_logs_nothing(caplog):
        assert caplog.records == [] and caplog.text == ""

    def test_logs_and_fails(logs):
        print("printed")
        assert 0
"""


@pytest.mark.parametrize("options", [(), ("--capture=sys",), ("-p", "no:logging")])
def test_what_a_test_leaves_is_put_right_before_the_next(project, options):
    project.write("test_a.py", LEAVES)
    with Server(project, options) as server:
        assert server.until("serving")["lean"] is None
        count = len(project.suite())
        for seed in range(3):
            order = list(range(count)) * 2
            random.Random(seed).shuffle(order)
            lean = server.run(order, lean=True, junit=None)
            full = project.run(order, *options)
            assert executed(lean) == executed(full) == order
            lean_view, full_view = _not_silent(lean), _not_silent(full)
            for n in range(len(order)):
                assert lean_view[n] == full_view[n], (n, [project.suite()[i]["id"] for i in order[: n + 1]])


def test_a_closed_output_is_the_trouble_that_it_always_is(project):
    project.write("test_a.py", "import sys\ndef test_a(): sys.stderr.close()\ndef test_b(): pass\n")
    with Server(project) as server:
        server.until("serving")
        lean, full = server.run([1, 0, 1], lean=True, junit=None), project.run([1, 0, 1])
        assert executed(lean) == executed(full) == [1, 0, 1]
        assert lean.code == full.code and lean.bad() == full.bad() != []


def test_a_wrapper_of_a_phase_is_outside_of_what_is_captured(project):
    project.write("sub/test_a.py", "def test_a(caplog): assert caplog.records == []\n")
    project.write(
        "sub/conftest.py",
        """
        import logging
        import pytest

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_call(item):
            logging.getLogger().error("before the test")
            yield
        """,
    )
    with Server(project) as server:
        assert server.until("serving")["lean"] is None
        assert len(server.run([0, 0], lean=True).all("pass")) == 2


def test_captured_sections_are_asked_for_in_full(project):
    project.write("test_a.py", "def test_a(): print('said')\n")
    with Server(project) as server:
        server.until("serving")
        result = server.run([0], lean=True, sections=True)
        assert result.phases(when="call")[0]["sections"] == [["Captured stdout call", "said\n"]]


def test_a_death_names_its_test(project):
    project.write("test_a.py", "import os\ndef test_a(): pass\ndef test_b(): os._exit(3)\n")
    with Server(project) as server:
        server.until("serving")
        result = server.run([0, 1, 0], lean=True)
        assert result.code == 3 and executed(result) == [0, 1]
        assert [event["n"] for event in result.all("pass")] == [0]


def test_a_listener_that_comes_late_hears_the_rest(project):
    project.write(
        "conftest.py",
        """
        import pytest
        class Listener:
            def __init__(self): self.heard = []
            def pytest_runtest_logreport(self, report): self.heard.append(report.when)
        @pytest.fixture(scope="session")
        def listener(request):
            found = Listener()
            request.config.pluginmanager.register(found)
            return found
        """,
    )
    project.write(
        "test_d.py",
        """
        def test_before(): pass
        def test_comes(listener): assert listener.heard == ["setup"]
        def test_goes_on(listener): assert listener.heard[:3] == ["setup", "call", "teardown"]
        """,
    )
    with Server(project) as server:
        server.until("serving", lean=None)
        lean = server.run([0, 1, 2], lean=True, junit=None)
        assert lean.bad() == [] and len(lean.all("pass")) == 1
        assert len(lean.phases(outcome="passed")) == 6
        assert project.run([0, 1, 2]).bad() == []


def test_output_and_records_are_caught_after_a_late_listener_too(project):
    project.write(
        "test_a.py",
        """
        import logging, sys
        import pytest

        class Listener:
            def pytest_runtest_logreport(self, report):
                pass

        @pytest.fixture
        def listens(request):
            request.config.pluginmanager.register(Listener())

        def test_registers(listens):
            print("said")

        def test_is_caught(caplog, capfd):
            logging.getLogger().error("boo")
            assert caplog.messages == ["boo"]
            print("said")
            assert capfd.readouterr().out == "said\\n"
            assert len(logging.getLogger().handlers) == len(set(logging.getLogger().handlers))

        def test_fails():
            print("lost")
            assert 0
        """,
    )
    with Server(project) as server:
        server.until("serving")
        result = server.run([1, 0, 1, 2, 1, 2], lean=True)
        assert result.bad() == [(3, "call"), (5, "call")] and len(result.all("pass")) == 1
        assert "lost" not in result.output
