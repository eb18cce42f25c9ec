"""A run leaves the project and other plugins' wishes alone, and is not disturbed by them."""

import hashlib
import importlib.util
import os

import pytest

from harness import executed, junit_cases


def _tree(root):
    out = {}
    for folder, _, files in os.walk(str(root)):
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                out[os.path.relpath(path, str(root))] = hashlib.sha256(file.read()).hexdigest()
    return out


def _three(project, addopts="", ini=""):
    project.write("pytest.ini", f"[pytest]\naddopts = {addopts}\n{ini}\n")
    project.write("test_a.py", "def test_1(): pass\ndef test_2(): assert 0\ndef test_3(): pass\n")
    project.write("helper/__init__.py", "")
    project.write("helper/deep.py", "VALUE = 1\n")
    project.write("test_b.py", "from helper.deep import VALUE\ndef test_4(): assert VALUE\n")


@pytest.mark.parametrize("dont_write", ["", "1"])
def test_the_project_is_not_written_to(project, dont_write):
    _three(project, "--junitxml=theirs.xml", "log_file = theirs.log")
    library = project.root / "venv" / "lib" / "site-packages"
    project.write("venv/lib/site-packages/library.py", "VALUE = 1\n")
    project.write("conftest.py", f"import sys\nsys.path.append({str(library)!r})\nimport library\n")
    before = _tree(project.root)
    env = {"PYTHONDONTWRITEBYTECODE": dont_write}
    assert project.collect(**env).code == 0
    first = project.run([3, 1, 0], env=env)
    assert first.code == 1 and executed(first) == [3, 1, 0]
    compiled = importlib.util.cache_from_source(str(library / "library.py"))
    assert os.path.exists(compiled)
    os.remove(compiled)
    os.rmdir(os.path.dirname(compiled))
    assert _tree(project.root) == before
    cached = [
        name for name in _tree(project.away / "cache" / "pycache") if "deep" in name or "test_a" in name
    ]
    assert len(cached) == 2


def test_a_program_started_by_a_test_is_as_before(project):
    project.write(
        "test_p.py",
        """
        import os, subprocess, sys

        def test_p():
            code = "import sys; print(sys.pycache_prefix, sys.dont_write_bytecode)"
            assert subprocess.check_output([sys.executable, "-c", code]).split() == [b"None", b"False"]
            assert "PYTHONPYCACHEPREFIX" not in os.environ
        """,
    )
    project.collect()
    assert project.run([0]).bad() == []


def test_core_options_of_the_project_are_neutralised(project):
    options = "-x --maxfail=1 --lf --ff --nf --sw --pdb --setup-plan --cache-clear"
    _three(project, options)
    result = project.collect()
    changed = {(event["plugin"], event["what"]) for event in result.all("changed")}
    assert ("main", "maxfail=0") in changed and ("cacheprovider", "lf=False") in changed
    assert ("debugging", "usepdb=False") in changed and ("setupplan", "setupplan=False") in changed
    for _ in range(2):
        result = project.run([1, 0, 2, 3, 1])
        assert executed(result) == [1, 0, 2, 3, 1]
        assert result.bad() == [(0, "call"), (4, "call")]


def test_a_plain_project_has_nothing_changed(project):
    _three(project)
    by_presence = {"dependency", "rerunfailures", "flaky", "pytest-retry", "pytest_forked", "randomly"}
    assert [e for e in project.collect().all("changed") if e["plugin"] not in by_presence] == []


def test_junit_is_written_where_the_project_blocks_it(project):
    _three(project, "-p no:junitxml")
    project.collect()
    result = project.run([2, 1])
    cases = junit_cases(result.run["junit"])
    assert [case[0]["fh_nodeid"] for case in cases] == ["test_a.py::test_3", "test_a.py::test_2"]
    assert [case[1] for case in cases] == [[], ["failure"]]


@pytest.mark.parametrize(
    "blocked", ["terminal", "cacheprovider", "faulthandler", "logging", "tmpdir", "warnings"]
)
def test_blocked_core_plugins_do_no_harm(project, blocked):
    _three(project, "-p no:" + blocked)
    cache = project.command
    project.command = lambda args: [
        a for a in cache(args) if blocked != "cacheprovider" or "cache_dir" not in a and a != "-o"
    ]
    assert project.collect().one("end")["code"] == 0
    result = project.run([2, 1])
    assert executed(result) == [2, 1] and result.one("end")["code"] == 1


REPORTER_USER = """
    import pytest

    def pytest_sessionstart(session):
        assert session.config.pluginmanager.get_plugin("terminalreporter")

    @pytest.fixture(autouse=True)
    def writes(request):
        reporter = request.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line("from a fixture")
        request.config.get_terminal_writer()

    def pytest_terminal_summary(terminalreporter):
        assert terminalreporter.stats.get("failed", []) is not None
"""


def test_the_terminal_reporter_can_be_used(project):
    _three(project)
    project.write("conftest.py", REPORTER_USER)
    project.write("test_c.py", "def test_long():\n    assert list(range(99)) == list(range(98))\n")
    project.collect()
    result = project.run(range(5))
    assert executed(result) == [0, 1, 2, 3, 4]
    assert [n for n, _ in result.bad()] == [1, 4]
    assert "Left contains one more item" in result.phases(n=4, when="call")[0]["text"]


def test_the_seed_is_the_run_s(project):
    project.write("test_r.py", "import random\ndef test_r(record_property):\n    print(random.random())\n")
    project.collect()

    def drawn(seed):
        result = project.run([0], "-p", "no:randomly", random_seed=seed, sections=True)
        return result.phases(when="call")[0]["sections"][0][1]

    assert drawn(1) == drawn(1) != drawn(2)
    assert drawn(None) != drawn(None)


PLUGINS = {
    "pytest_randomly": "-p randomly",
    "xdist": "-n2 --dist=loadfile --maxprocesses=3",
    "pytest_rerunfailures": "--reruns=2 --reruns-delay=1",
    "random_order": "--random-order --random-order-bucket=global",
    "pytest_cov": "--cov=helper --cov-fail-under=100 --cov-report=xml",
    "pytest_timeout": "--timeout=50",
    "pytest_order": "--order-scope=module",
    "pytest_asyncio": "--asyncio-mode=auto",
    "hypothesis": "--hypothesis-show-statistics",
    "pytest_repeat": "--count=3",
    "pytest_split": "--splits=2 --group=1 --store-durations",
    "pytest_sugar": "",
    "pytest_forked": "--forked",
    "pytest_retry": "--retries=2",
    "flaky": "--force-flaky --max-runs=3",
    "testmon": "--testmon",
    "pytest_picked": "--picked",
}


def _installed(name):
    return importlib.util.find_spec(name) is not None


def _check_with(project, addopts):
    _three(project, addopts)
    before = _tree(project.root)
    collected = project.collect()
    assert collected.one("end")["code"] == 0, collected.output
    assert [test["id"].split("::")[1] for test in project.suite()] == ["test_1", "test_2", "test_3", "test_4"]
    order = [3, 1, 2, 0, 1]
    result = project.run(order)
    assert executed(result) == order, result.output
    assert result.bad() == [(1, "call"), (4, "call")]
    assert len(result.all("phase")) == 15
    assert result.one("end")["code"] == result.code == 1
    assert [case[0]["fh_n"] for case in junit_cases(result.run["junit"])] == ["0", "1", "2", "3", "4"]
    assert _tree(project.root) == before
    return collected


@pytest.mark.parametrize("name", sorted(PLUGINS))
def test_one_plugin_in_addopts(project, name):
    if not _installed(name):
        pytest.skip(name + " is not installed")
    options = "" if name == "pytest_randomly" else PLUGINS[name]
    _check_with(project, options)


def test_all_plugins_in_addopts_at_once(project):
    there = [name for name in sorted(PLUGINS) if _installed(name)]
    if len(there) < 5:
        pytest.skip("needs several plugins installed")
    # pytest-retry refuses to be beside its rivals, before anybody could calm it
    rivals = {"pytest_retry", "flaky", "pytest_randomly"}
    collected = _check_with(
        project, "-x --lf " + " ".join(PLUGINS[name] for name in there if name not in rivals)
    )
    changed = {event["plugin"] for event in collected.all("changed")}
    assert {"xdist", "rerunfailures", "main", "cacheprovider"} <= changed


def test_retrying_marks_do_nothing(project):
    if not _installed("pytest_rerunfailures"):
        pytest.skip("pytest-rerunfailures is not installed")
    project.write("test_f.py", "import pytest\n@pytest.mark.flaky(reruns=3)\ndef test_f(): assert 0\n")
    project.collect()
    result = project.run([0])
    assert len(result.phases(when="call", outcome="failed")) == 1 and len(result.all("phase")) == 3


@pytest.mark.parametrize("where", ["addopts", "ini"])
def test_no_run_is_cut_short_by_the_time_of_a_session(project, where):
    if not _installed("pytest_timeout"):
        pytest.skip("pytest-timeout is not installed")
    if where == "ini":
        _three(project, ini="session_timeout = 0.000001")
    else:
        _three(project, "--session-timeout=0.000001")
    changed = project.collect().all("changed")
    assert ("timeout", "session_timeout=None") in {(event["plugin"], event["what"]) for event in changed}
    assert executed(project.run([3, 1, 2, 0])) == [3, 1, 2, 0]


def test_hypothesis_keeps_its_examples_to_the_run(project):
    if not _installed("hypothesis"):
        pytest.skip("hypothesis is not installed")
    project.write(
        "test_h.py",
        """
        from hypothesis import given, strategies

        @given(strategies.integers())
        def test_h(i): assert i < 1000
        """,
    )
    before = _tree(project.root)
    project.collect()
    first, again, other = (project.run([0], random_seed=seed) for seed in (1, 1, 2))
    assert first.bad() == again.bad() == other.bad() == [(0, "call")]
    assert first.phases(when="call")[0]["text"] == again.phases(when="call")[0]["text"]
    assert _tree(project.root) == before
    unseeded = project.run([0], random_seed=None)
    assert os.path.isdir(unseeded.run["basetemp"] + "-hypothesis")
    assert _tree(project.root) == before
