"""What the stream says, whatever the tests do."""

import os
import signal
import threading

import pytest

from harness import executed, junit_cases, read_stream

VERSION = tuple(int(part) for part in pytest.__version__.split(".")[:2])

ZOO = """
    import unittest
    import pytest

    @pytest.fixture
    def broken():
        raise RuntimeError("in setup")

    @pytest.fixture
    def leaves():
        yield
        raise OSError("in teardown")

    def helper():
        raise ValueError("h\\u00e9\\ud800\\x1b")

    def test_pass(): pass
    def test_fail(): assert 1 == 2
    def test_helper(): helper()
    def test_setup(broken): pass
    def test_teardown(leaves): pass
    def test_both(leaves): assert 0
    def test_unknown(no_such_fixture): pass
    def test_skip(): pytest.skip("why not")
    @pytest.mark.skip(reason="marked")
    def test_skip_mark(): pass
    @pytest.mark.xfail(reason="known")
    def test_xfail(): assert 0
    @pytest.mark.xfail
    def test_xpass(): pass
    @pytest.mark.xfail(strict=True, reason="strictly")
    def test_strict(): pass
    @pytest.mark.xfail
    def test_xfail_teardown(leaves): pass
    def test_exit(): raise SystemExit(3)

    class TestUnit(unittest.TestCase):
        def test_unit_fail(self): self.fail("in unittest")
        def test_unit_skip(self): self.skipTest("not here")
        @unittest.expectedFailure
        def test_unit_expected(self): self.fail("as expected")
        def test_unit_subtests(self):
            for i in range(3):
                with self.subTest(i=i):
                    self.assertNotEqual(i, 1)
"""


def _names(project, result):
    tests = project.suite()
    return [tests[i]["id"].split("::")[-1] for i in executed(result)]


def test_every_outcome(project):
    project.write("test_z.py", ZOO)
    collected = project.collect()
    assert collected.one("collected")["tests"] == 18
    result = project.run(range(18))
    assert result.code == 1
    names = _names(project, result)
    seen = {}
    for phase in result.all("phase"):
        seen.setdefault(names[phase["n"]], {}).setdefault(phase["when"], []).append(phase)

    def of(name, when):
        return seen[name][when][-1]

    assert [phase["outcome"] for phases in seen["test_pass"].values() for phase in phases] == ["passed"] * 3
    fail = of("test_fail", "call")
    assert (fail["outcome"], fail["type"]) == ("failed", "AssertionError")
    assert fail["message"].startswith("assert 1 == 2")
    assert fail["place"] == "test_z.py:18" and "def test_fail" in fail["text"]
    helper = of("test_helper", "call")
    assert (helper["type"], helper["place"]) == ("ValueError", "test_z.py:15")
    assert "\\ud800" in helper["message"]
    assert of("test_setup", "setup")["message"] == "RuntimeError: in setup"
    assert "call" not in seen["test_setup"]
    assert of("test_teardown", "teardown")["outcome"] == "failed"
    assert (of("test_both", "call")["outcome"], of("test_both", "teardown")["outcome"]) == (
        "failed",
        "failed",
    )
    assert "no_such_fixture" in of("test_unknown", "setup")["message"]
    assert of("test_unknown", "setup")["place"].startswith("test_z.py:")
    assert of("test_skip", "call")["message"] == "Skipped: why not"
    assert of("test_skip_mark", "setup")["outcome"] == "skipped"
    assert (of("test_xfail", "call")["outcome"], of("test_xfail", "call")["xfail"]) == ("skipped", True)
    assert (of("test_xpass", "call")["outcome"], of("test_xpass", "call")["xfail"]) == ("passed", True)
    strict = of("test_strict", "call")
    assert strict["outcome"] == "failed" and "strictly" in strict["message"] and "type" not in strict
    assert of("test_xfail_teardown", "teardown")["outcome"] == "skipped"
    assert of("test_exit", "call")["type"] == "SystemExit"
    assert of("test_unit_fail", "call")["message"] == "AssertionError: in unittest"
    assert of("test_unit_skip", "call")["outcome"] == "skipped"
    assert of("test_unit_expected", "call")["xfail"] is True
    assert any(phase["outcome"] == "failed" for phase in seen["test_unit_subtests"]["call"])
    assert len(result.all("fin")) == 18
    # before pytest 7.2 the first of two entries for one test (failed, and failed again at teardown) has no properties
    told = {case[0].get("fh_n") for case in junit_cases(result.run["junit"])}
    assert told - {None} == {str(n) for n in range(18)}


@pytest.mark.skipif(VERSION < (9, 0), reason="the subtests fixture came with pytest 9")
def test_subtests_fail_their_test(project):
    project.write(
        "test_s.py",
        """
        def test_s(subtests):
            for i in range(3):
                with subtests.test(i=i):
                    assert i != 1
        """,
    )
    project.collect()
    result = project.run([0])
    calls = result.phases(when="call")
    assert [call["outcome"] for call in calls] == ["passed", "failed", "passed", "failed"]
    assert [call.get("subtest") for call in calls] == [True, True, True, None]
    assert "1 failed subtest" in calls[-1]["message"]


@pytest.mark.parametrize(
    ("death", "code"),
    [
        ("os._exit(7)", 7),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.abort()", -signal.SIGABRT),
    ],
)
def test_a_death_names_its_test(project, death, code):
    project.write(
        "test_d.py",
        f"import os, signal\ndef test_a(): pass\ndef test_b():\n    {death}\ndef test_c(): pass\n",
    )
    project.collect()
    result = project.run([0, 1, 2])
    assert result.code == code
    assert executed(result) == [0, 1]
    assert [event["n"] for event in result.all("fin")] == [0]
    assert result.phases(n=1) and {phase["when"] for phase in result.phases(n=1)} == {"setup"}
    assert result.all("end") == []
    assert not os.path.exists(result.run["junit"])


@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "pytest.exit.Exception('enough', 9)"])
def test_an_interrupted_run_ends(project, raised):
    project.write(
        "test_k.py",
        f"import pytest\ndef test_a(): pass\ndef test_b(): raise {raised}\ndef test_c(): pass\n",
    )
    project.collect()
    result = project.run([1, 0])
    assert result.one("end")["code"] == result.code
    assert result.code == (2 if raised == "KeyboardInterrupt" else 9)
    assert executed(result) == [1] and result.all("fin") == []


@pytest.mark.parametrize("word", [b"\n", b""])
def test_a_held_run_waits_for_a_word(project, word):
    project.write("test_h.py", "def test_a(): pass\ndef test_b(): pass\n")
    project.collect()
    hold, before = project.away / "hold", []
    os.mkfifo(hold)

    def speak():
        with open(hold, "wb", buffering=0) as driver:  # opens when the run comes to read
            streams = project.away.glob("stream-*.jsonl")
            before.extend(event["event"] for stream in streams for event in read_stream(stream))
            driver.write(word)

    speaker = threading.Thread(target=speak)
    speaker.start()
    result = project.run([1, 0], hold=str(hold))
    speaker.join()
    assert before.count("collected") == 2 and "start" not in before, "it has collected, and no test has begun"
    if word:
        assert executed(result) == [1, 0] and result.code == 0
        names = [event["event"] for event in result.events]
        assert names.index("collected") < names.index("go") < names.index("start")
        assert 0 <= result.one("go")["waited"] < 60
    else:
        assert executed(result) == [] and result.one("end")["code"] == 2


@pytest.mark.parametrize("word", ["shouldfail", "shouldstop"])
def test_a_session_that_is_told_to_stop_says_why(project, word):
    project.write("test_s.py", "def test_a(): pass\ndef test_b(): pass\ndef test_c(): pass\n")
    project.write(
        "conftest.py",
        f"""
        def pytest_runtest_teardown(item):
            if item.name == "test_b":
                item.session.{word} = "enough of it"
        """,
    )
    project.collect()
    result = project.run([0, 1, 2])
    assert executed(result) == [0, 1]
    assert result.one("cut") == {"event": "cut", "n": 1, "reason": "enough of it"}
    assert project.run([0, 2, 1]).all("cut") == [], "nothing was left to run"


HOSTILE = """
    import os, sys, time, json

    def test_closes_all():
        os.closerange(3, 4096)
        test_closes_all.files = [open(os.path.join(os.environ["TMPDIR"], "f%d" % i), "w") for i in range(600)]

    def test_forks_and_returns():
        if os.fork() == 0:
            raise SystemExit(0)
        os.wait()

    def test_patches(monkeypatch):
        def no(*args, **kwargs):
            raise RuntimeError("patched")
        for module, names in ((os, "write fstat getpid open"), (time, "time perf_counter monotonic"),
                              (json, "dumps loads")):
            for name in names.split():
                setattr(module, name, no)

    def test_after(): pass
"""


def test_the_stream_cannot_be_disturbed(project):
    project.write("test_h.py", HOSTILE)
    project.collect()
    closed = project.run([0, 3], "-s")
    assert executed(closed) == [0, 3]
    assert [event["n"] for event in closed.all("fin")] == [0, 1]
    folder = closed.run["tmpdir"]
    written = [name for name in os.listdir(folder) if os.path.getsize(os.path.join(folder, name))]
    assert len(os.listdir(folder)) == 600 and written == []
    forked = project.run([1, 3])
    assert executed(forked) == [0 + 1, 3] and len(forked.all("end")) == 1
    patched = project.run([2, 3])
    assert executed(patched) == [2, 3]


def test_a_child_of_a_test_does_not_have_the_stream(project):
    project.write(
        "test_c.py",
        """
        import os, subprocess, sys

        def test_c():
            code = "import os; print([os.readlink('/proc/self/fd/' + f) for f in os.listdir('/proc/self/fd') if int(f) > 2])"
            out = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, close_fds=False).stdout
            assert b"stream-" not in out, out
        """,
    )
    project.collect()
    assert project.run([0]).code == 0


def test_collection_errors_are_told(project):
    project.write("test_a.py", "def test_a(): pass\n")
    project.write("test_bad.py", "import no_such_module_anywhere\n")
    project.write("test_worse.py", "def broken(:\n")
    result = project.collect()
    assert result.code == 2 and result.one("end")["code"] == 2
    errors = {event["path"]: event["message"] for event in result.all("collect-error")}
    assert set(errors) == {"test_bad.py", "test_worse.py"}
    assert "No module named 'no_such_module_anywhere'" in errors["test_bad.py"]
    assert "SyntaxError" in errors["test_worse.py"]
    assert [test["id"] for test in project.suite()] == ["test_a.py::test_a"]
    going_on = project.collect("--continue-on-collection-errors")
    assert len(going_on.all("collect-error")) == 2 and going_on.one("end")["code"] in (1, 2)


@pytest.mark.parametrize(
    ("file", "body"),
    [
        ("conftest.py", "raise RuntimeError('in conftest')\n"),
        ("conftest.py", "raise SystemExit(0)\n"),
        ("test_a.py", "raise SystemExit(0)\n"),
        ("conftest.py", "def pytest_configure():\n    raise RuntimeError('in configure')\n"),
        ("conftest.py", "import os\nos._exit(0)\n"),
    ],
)
def test_a_broken_project_says_hello_at_least(project, file, body):
    project.write("test_b.py", "def test_b(): pass\n").write(file, body)
    result = project.collect()
    hello = result.one("hello")
    assert (hello["protocol"], hello["rootdir"]) == (1, str(project.root))
    assert not [event for event in result.all("end") if event["code"] == 0]
    assert result.all("start") == []


def test_hello_names_versions(project):
    project.write("pytest.ini", "[pytest]\n").write("test_b.py", "def test_b(): pass\n")
    hello = project.collect().one("hello")
    assert hello["pytest"] == pytest.__version__
    assert hello["inifile"] == str(project.root / "pytest.ini")
    assert isinstance(hello["plugins"], list)


def test_nothing_collected(project):
    project.write("test_b.py", "def helper(): pass\n")
    result = project.collect()
    assert result.code == 5 and result.one("collected")["tests"] == 0 and project.suite() == []


def test_deselected_tests_are_counted(project):
    project.write("test_b.py", "def test_a(): pass\ndef test_b(): pass\n")
    result = project.collect("-k", "test_a")
    assert result.one("collected") == {"event": "collected", "tests": 1, "deselected": 1, "unstable": []}


def test_the_suite_file_describes_tests(project):
    project.write(
        "pkg/test_a.py",
        """
        import pytest
        class TestA:
            class TestB:
                @pytest.mark.parametrize("p", ["x[1]", "y"])
                def test_x(self, p): pass
        """,
    )
    project.collect()
    first, second = project.suite()
    line = first.pop("line")
    assert line in (5, 6)
    key = "pkg/test_a.py::TestA::TestB::test_x"
    common = {"n": 0, "file": "pkg/test_a.py", "class": "TestA.TestB", "key": key}
    assert first == dict(common, id=key + "[x[1]]", k=0)
    assert second["id"] == key + "[y]" and second["k"] == 1
