"""The order that is asked for is the order that runs."""

import json
import random

from harness import executed, junit_cases

HOSTILE = """
    import pytest

    def backwards(items):
        items.sort(key=lambda item: item.nodeid, reverse=True)

    @pytest.hookimpl(tryfirst=True, hookwrapper=True)
    def pytest_collection_modifyitems(items):
        yield
        backwards(items)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(session):
        backwards(session.items)

    @pytest.hookimpl(tryfirst=True, hookwrapper=True)
    def pytest_runtestloop(session):
        backwards(session.items)
        yield
"""


def test_a_hostile_conftest_cannot_change_it(project):
    project.write("conftest.py", HOSTILE)
    for name in "abc":
        body = "".join(f"def test_{i}(): pass\n" for i in range(5))
        project.write(f"test_{name}.py", body)
    assert project.collect().code == 0
    order = list(range(15))
    random.Random(1).shuffle(order)
    result = project.run(order)
    assert result.code == 0, result.output
    assert executed(result) == order
    assert [event["n"] for event in result.all("fin")] == list(range(15))
    assert result.one("end")["code"] == 0
    ids = [test["id"] for test in project.suite()]
    cases = junit_cases(result.run["junit"])
    assert [c[0]["fh_nodeid"] for c in cases] == [ids[i] for i in order]
    assert [c[0]["fh_n"] for c in cases] == [str(n) for n in range(15)]


def test_parametrised_session_fixtures_are_not_grouped(project):
    project.write(
        "test_p.py",
        """
        import pytest

        @pytest.fixture(scope="session", params=["s1", "s2"])
        def s(request):
            return request.param

        def test_a(s): assert s in ("s1", "s2")
        def test_b(s): assert s in ("s1", "s2")
        """,
    )
    project.collect()
    order = project.numbers(["test_p.py::test_a[s1]", "test_p.py::test_b[s2]", "test_p.py::test_b[s1]"])
    order.append(project.numbers(["test_p.py::test_a[s2]"])[0])
    result = project.run(order)
    assert result.code == 0, result.output
    assert executed(result) == order


REPEATED = """
    import unittest
    import pytest

    @pytest.fixture
    def fixture():
        return []

    def test_function(fixture, tmp_path, request):
        fixture.append(1)
        assert fixture == [1]
        assert not list(tmp_path.iterdir())
        (tmp_path / "a").write_text("a")
        assert "late" not in [mark.name for mark in request.node.iter_markers()]
        request.node.add_marker(pytest.mark.late)
        print("said once")

    class TestClass:
        def test_method(self, fixture):
            assert not hasattr(self, "value")
            self.value = 1

        def test_other(self):
            assert not hasattr(self, "value")

    class TestUnit(unittest.TestCase):
        def setUp(self):
            assert not hasattr(self, "value")

        def test_unit(self):
            self.value = 1

    @pytest.mark.parametrize("p", [1, 2])
    def test_p(p, request):
        assert request.node.callspec.params == {"p": p}
        assert request.node.user_properties[-1][0] == "fh_n"
"""


def test_repeats_are_fresh(project):
    project.write("test_r.py", REPEATED)
    project.write("test_s.py", "def test_s(): pass\n")
    project.collect()
    count = len(project.suite())
    order = [i for i in range(count) for _ in range(3)] + [i for _ in range(2) for i in range(count)]
    result = project.run(order, sections=True)
    assert result.bad() == []
    assert result.code == 0, result.output
    assert executed(result) == order
    assert len(junit_cases(result.run["junit"])) == len(order)
    for phase in result.phases(when="call", n=2):
        assert phase["sections"] == [["Captured stdout call", "said once\n"]]


DUPLICATES = """
    import pytest

    class Item(pytest.Item):
        def runtest(self):
            pass

        def reportinfo(self):
            return self.path, None, self.name

    class File(pytest.File):
        def collect(self):
            for name in ["same", "same", "other"]:
                yield Item.from_parent(self, name=name)

    def pytest_collect_file(file_path, parent):
        if file_path.suffix == ".list":
            return File.from_parent(parent, path=file_path)
"""


def test_duplicated_ids_are_told_apart(project):
    project.write("conftest.py", DUPLICATES).write("x.list", "")
    project.collect()
    assert [(t["id"], t["n"], t["line"]) for t in project.suite()] == [
        ("x.list::same", 0, None),
        ("x.list::same", 1, None),
        ("x.list::other", 0, None),
    ]
    result = project.run([1, 2, 0, 1])
    assert result.code == 0, result.output
    assert executed(result) == [1, 2, 0, 1]


def test_unstable_ids_are_found_by_their_key(project):
    project.write(
        "test_u.py",
        """
        import os
        import pytest

        @pytest.mark.parametrize("p", [1, 2], ids=["a%d" % os.getpid(), "b%d" % os.getpid()])
        def test_p(p): pass
        def test_q(): pass
        """,
    )
    project.collect()
    result = project.run([2, 1, 0])
    assert result.code == 0, result.output
    assert executed(result) == [2, 1, 0]
    assert result.one("collected")["unstable"] == [0, 1]
    assert result.all("mismatch") == []
    names = [case[0]["fh_nodeid"][:15] for case in junit_cases(result.run["junit"])]
    assert names == ["test_u.py::test", "test_u.py::test", "test_u.py::test"]


def test_nasty_ids_survive(project):
    project.write(
        "pytest.ini", "[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = 1\n"
    )
    project.write(
        "test_n.py",
        r"""
        import pytest

        @pytest.mark.parametrize("p", ["x\ny", "a::b", "\ud800", "\u00e9\U0001f600", "../../etc", "[", "<&>\"'"])
        def test_p(p): pass
        """,
    )
    project.collect()
    ids = [test["id"] for test in project.suite()]
    assert "test_n.py::test_p[x\ny]" in ids
    assert "test_n.py::test_p[a::b]" in ids
    assert "test_n.py::test_p[\\ud800]" in ids
    assert {test["key"] for test in project.suite()} == {"test_n.py::test_p"}
    raw = project.suite_path.read_bytes()
    json.loads(raw)
    assert b"\\ud800" in raw and b'"\\ud800' not in raw.replace(b"\\\\ud800", b"")
    order = list(reversed(range(len(ids))))
    result = project.run(order)
    assert executed(result) == order
    failed = {n for n, _ in result.bad()}
    assert failed <= {order.index(ids.index("test_n.py::test_p[\\ud800]"))}


def test_a_missing_test_ends_the_run_with_4(project):
    project.write("test_a.py", "def test_a(): pass\n").write("test_b.py", "def test_b(): pass\n")
    project.collect()
    project.write("test_b.py", "def test_another(): pass\n")
    result = project.run([0, 1])
    assert result.code == 4
    assert result.one("mismatch") == {
        "event": "mismatch",
        "missing": [1],
        "extra": ["test_b.py::test_another"],
    }
    assert executed(result) == []
    assert result.one("end")["code"] == 4


def test_a_test_outside_the_order_may_be_missing(project):
    project.write("test_a.py", "def test_a(): pass\n").write("test_b.py", "def test_b(): pass\n")
    project.collect()
    partial = project.run([0], "test_a.py", partial=True)
    assert partial.code == 0 and partial.all("mismatch") == []
    whole = project.run([0], "test_a.py")
    assert whole.code == 0 and whole.one("mismatch")["missing"] == [1]
    gone = project.run([1], "test_a.py", partial=True)
    assert gone.code == 4 and gone.one("mismatch")["missing"] == [1]
