"""Copies of a process in the middle of a run."""

import os

import pytest

from harness import Server, executed, junit_cases

TESTS = 30
# `a` and `b` together make the victim fail; `c` clears it.
SUITE = """
    import pytest

    FLAGS = set()
    CHANGES = {4: "a", 17: "b", 23: "c"}

    @pytest.fixture(scope="module", autouse=True)
    def module():
        FLAGS.add("module")
        yield
        FLAGS.discard("module")

    @pytest.mark.parametrize("i", range(30))
    def test_any(i, tmp_path):
        print("printed", i)
        if i in CHANGES:
            FLAGS.add(CHANGES[i])
"""

VICTIM = """
    import os
    import pytest
    import test_any

    def test_victim(capfd):
        os.write(1, b"said by the victim")
        assert capfd.readouterr().out == "said by the victim"
        assert "module" not in test_any.FLAGS
        assert not {"a", "b"} <= test_any.FLAGS or "c" in test_any.FLAGS

    def test_adds_b():
        test_any.FLAGS.add("b")

    def test_crashes_with_a():
        if "a" in test_any.FLAGS:
            os._exit(0)

    def test_skips():
        pytest.skip("always")
"""


@pytest.fixture(params=["lean", "full", "fresh"])
def pass_over(request, project):
    """A pass over all of `test_any`, in a child (with either protocol) or in a process of its own."""
    project.write("test_any.py", SUITE)
    project.write("test_victim.py", VICTIM)
    project.collect()
    order = list(range(TESTS))

    def run(*tail, until="Fail", first=0, strides=(5, 2, 1), order=order):
        probes = {
            "tail": project.numbers([f"test_victim.py::{name}" for name in tail]),
            "until": until,
            "from": first,
            "strides": list(strides),
        }
        if request.param == "fresh":
            return project.run(order, probes=probes)
        with Server(project) as server:
            return server.run(order, probes=probes, lean=request.param == "lean")

    return run


def probed(result):
    return [(event["n"], event["failed"]) for event in result.all("probed")]


def test_the_place_where_it_begins_to_fail_is_found(pass_over):
    result = pass_over("test_victim")
    # Every fifth, then from the place before every second, then each.
    assert probed(result) == [
        (5, False),
        (10, False),
        (15, False),
        (20, True),
        (17, False),
        (19, True),
        (18, True),
    ]
    assert executed(result) == list(range(20)), "the pass is over then"
    assert result.one("end")["code"] == 0 and not result.phases(outcome="failed")
    if os.path.exists(result.run["junit"]):
        assert len(junit_cases(result.run["junit"])) == 20, "what copies did is no part of it"


def test_from_a_place_on_it_is_found_where_it_begins_to_pass(pass_over):
    result = pass_over("test_victim", until="Pass", first=18)
    assert probed(result) == [(23, True), (28, False), (25, False), (24, False)]


def test_a_tail_of_several(pass_over):
    result = pass_over("test_adds_b", "test_victim", strides=(10, 3, 1))
    assert probed(result) == [(10, True), (3, False), (6, True), (4, False), (5, True)]


def test_where_nothing_is_seen_the_whole_order_runs(pass_over):
    result = pass_over("test_skips")
    assert probed(result) == [(n, False) for n in range(5, TESTS + 1, 5)]
    assert executed(result) == list(range(TESTS))


def test_the_end_of_an_order_is_tried_wherever_it_is(pass_over):
    result = pass_over("test_victim", strides=(4, 1), order=list(range(18)))
    assert probed(result) == [
        (4, False),
        (8, False),
        (12, False),
        (16, False),
        (18, True),
        (17, False),
        (18, True),
    ]


def test_a_copy_that_dies_in_its_test_has_failed(pass_over):
    result = pass_over("test_crashes_with_a", strides=(10, 1))
    assert probed(result)[0] == (10, True)
    assert probed(result)[-2:] == [(4, False), (5, True)]


def test_a_process_with_threads_or_sockets_is_not_copied(project):
    project.write(
        "test_busy.py",
        """
        import socket, threading
        STOP, HELD = threading.Event(), []

        def test_quiet(): pass
        def test_starts(): threading.Thread(target=STOP.wait, daemon=True).start()
        def test_goes_on(): pass
        def test_stops():
            STOP.set()
            [thread.join() for thread in threading.enumerate() if thread.daemon]
        def test_opens(): HELD.append(socket.socket())
        def test_closes(): HELD.pop().close()
        def test_victim(): pass
        """,
    )
    project.collect()
    with Server(project) as server:
        probes = {"tail": [6], "until": "Fail", "from": 0, "strides": [1]}
        result = server.run([0, 1, 2, 3, 4, 5], probes=probes)
    assert probed(result) == [(1, False), (4, False), (6, False)]
