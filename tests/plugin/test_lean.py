"""The short protocol says the same about everything that did not simply pass."""

import random

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
