"""Lines of tests, each tried by a copy of a process that has run none."""

import os

import pytest

from harness import Server

SUITE = """
    import os, sys
    import pytest

    FLAGS = set()

    @pytest.fixture(scope="session", autouse=True)
    def session(tmp_path_factory):
        yield
        FLAGS.clear()

    def test_sets(): FLAGS.add("set")
    def test_victim(tmp_path, capfd):
        assert tmp_path.name == "test_victim0"
        os.write(1, b"said")
        assert capfd.readouterr().out == "said"
        assert not FLAGS
    def test_fails(): assert False
    def test_crashes(): os._exit(0)
    def test_skips(): pytest.skip()
    def test_fails_in_teardown(request):
        request.addfinalizer(lambda: 1 / 0)
    def test_twice():
        assert "twice" not in FLAGS
        FLAGS.add("twice")
"""


@pytest.fixture
def fan(project):
    """The outcomes of each line: passed (`.`) or failed (`F`)."""
    project.write("test_any.py", SUITE).collect()

    def run(*lines, **more):
        lines = [project.numbers([f"test_any.py::test_{name}" for name in line]) for line in lines]
        with Server(project) as server:
            result = server.run([], fan=lines, **more)
        assert result.one("end")["code"] == 5, "the run itself has run no test"
        assert [event["k"] for event in result.all("trying")] == list(range(len(lines)))
        seen = [""] * len(lines)
        for event in result.all("tried"):
            seen[event["k"]] += "F" if event["failed"] else "."
        return seen

    return run


@pytest.mark.parametrize("lean", [True, False])
def test_every_line_begins_anew(fan, lean):
    lines = [
        ("sets", "victim"),
        ("victim",),
        ("fails", "victim"),
        ("skips", "victim"),
        ("fails_in_teardown", "victim", "sets", "victim"),
        ("twice", "twice"),
        ("twice",),
    ]
    assert fan(*lines, lean=lean) == [".F", ".", "F.", "..", "F..F", ".F", "."]


def test_a_line_that_ends_its_copy_ends_there(fan):
    assert fan(("victim", "crashes", "victim"), ("crashes",), ("victim",)) == [".", "", "."]


def test_nothing_of_a_line_is_left_in_the_folders_of_another(fan, project):
    assert fan(("victim",), ("victim",), ("sets", "victim")) == [".", ".", ".F"]
    names = [name for name in os.listdir(str(project.away)) if name.startswith("basetemp")]
    assert len(names) == 3, names
