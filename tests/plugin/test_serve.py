"""A forked child says the same as a fresh process."""

import os
import random
import re
import signal
import time

import pytest

from harness import Server, executed, junit_cases, read_stream

CONFTEST = """
    import atexit, logging, os, sys
    import pytest

    logging.basicConfig(level=logging.INFO)  # its handler holds the capture's stderr of this moment
    COUNT = {"session": 0, "module": 0}

    @atexit.register
    def _said_at_exit():
        print("at exit", flush=True)

    @pytest.fixture(scope="session", autouse=True)
    def session_folder(tmp_path_factory):
        COUNT["session"] += 1
        path = tmp_path_factory.mktemp("session")
        (path / "f").write_text("x")
        yield path
        assert (path / "f").exists()
        COUNT["session"] -= 1

    @pytest.fixture(scope="module")
    def module_count():
        COUNT["module"] += 1
        yield COUNT
        COUNT["module"] -= 1

    @pytest.fixture(scope="session", params=["p", "q"])
    def parameter(request):
        return request.param

    def pytest_sessionfinish(session):
        print("finished with", session.testsfailed, flush=True)
"""

ZOO = """
    import asyncio, logging, os, random, signal, subprocess, sys, tempfile, threading, unittest, warnings
    import pytest

    HANDLER = logging.StreamHandler()
    STATE = {"calls": 0, "flag": False}

    def test_tmp(tmp_path):
        assert tmp_path.name == "test_tmp0" and not list(tmp_path.iterdir())
        (tmp_path / "a").write_text("1")

    def test_tmpdir_of_the_run():
        with tempfile.NamedTemporaryFile() as file:
            assert os.path.dirname(file.name) == os.environ["TMPDIR"]

    def test_capsys(capsys):
        print("hello")
        assert capsys.readouterr().out == "hello\\n"

    def test_capfd(capfd):
        os.system("echo hi")
        os.write(2, b"err")
        out = capfd.readouterr()
        assert (out.out, out.err) == ("hi\\n", "err")

    def test_caplog(caplog):
        logging.getLogger("x").warning("boo")
        assert "boo" in caplog.text

    def test_handler_of_import_time():
        logger = logging.getLogger("own")
        logger.addHandler(HANDLER)
        logger.warning("through the handler")
        logger.removeHandler(HANDLER)

    def test_prints():
        print("out")
        sys.stderr.write("err\\n")
        os.write(1, b"raw\\n")

    def test_random():
        print(random.random())

    def test_thread():
        out = []
        thread = threading.Thread(target=lambda: out.append(1))
        thread.start()
        thread.join()
        assert out == [1]

    def test_asyncio():
        async def nothing():
            await asyncio.sleep(0)
        asyncio.run(nothing())

    def test_subprocess():
        assert subprocess.check_output([sys.executable, "-c", "print(1)"]) == b"1\\n"

    def test_children_can_be_waited_for():
        pid = os.fork()
        if not pid:
            os._exit(3)
        assert os.waitpid(pid, 0)[1] == 3 << 8

    def test_signals():
        assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
        assert signal.set_wakeup_fd(-1) == -1

    def test_stdin():
        assert os.read(0, 1) == b""
        with pytest.raises(OSError):
            sys.stdin.read()

    def test_warns():
        warnings.warn("w0")

    def test_module(module_count, session_folder):
        assert module_count == {"session": 1, "module": 1}

    def test_parameter(parameter):
        assert parameter in "pq"

    def test_sets():
        STATE["flag"] = True

    def test_depends():
        assert not STATE["flag"]

    def test_counts():
        STATE["calls"] += 1
        assert STATE["calls"] < 3

    class TestUnit(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.value = 1

        def test_unit(self):
            self.assertEqual(self.value, 1)

        def test_sub(self):
            for i in range(3):
                with self.subTest(i=i):
                    self.assertNotEqual(i, 2)

    @pytest.mark.skip(reason="no")
    def test_skip(): pass

    @pytest.mark.xfail
    def test_xfail(): assert 0

    @pytest.mark.xfail(strict=True)
    def test_strict(): pass

    def test_fails():
        print("captured")
        assert 0 != 3 and {"a": 1} == {"a": 2}

    @pytest.fixture
    def broken():
        print("in the fixture")
        raise RuntimeError("setup")

    def test_setup_error(broken): pass

    @pytest.fixture
    def leaves():
        yield
        raise OSError("teardown")

    def test_teardown_error(leaves): pass
"""


def _plain(result):
    """All that may be compared: not times, nor paths that are the run's own."""
    out = []
    for event in result.events:
        if event["event"] in ("start", "phase", "fin", "end"):
            event = {key: value for key, value in event.items() if key != "seconds"}
            # the line of a parametrised path, the number of a thread and the like may differ
            out.append(re.sub(r"(basetemp|tmpdir|child)-\d+|0x[0-9a-f]+", "#", repr(sorted(event.items()))))
    return out


def _zoo(project):
    project.write("conftest.py", CONFTEST).write("test_a.py", ZOO).write("test_b.py", ZOO)


@pytest.mark.parametrize("options", [(), ("-s",), ("--capture=sys",), ("-p", "no:logging")])
def test_a_child_is_as_a_fresh_process(project, options):
    _zoo(project)
    with Server(project, options) as server:
        assert server.until("serving")["unsafe"] == []
        count = len(project.suite())
        for seed in range(1 if options else 3):
            order = list(range(count)) + [random.Random(seed).randrange(count) for _ in range(10)]
            random.Random(seed).shuffle(order)
            forked = server.run(order, sections=True, random_seed=seed)
            fresh = project.run(order, *options, sections=True, random_seed=seed)
            assert executed(forked) == order
            assert _plain(forked) == _plain(fresh)
            assert forked.code == fresh.code == 1
            assert junit_cases(forked.run["junit"]) == junit_cases(fresh.run["junit"])
            assert "at exit" in forked.output and "finished with" in forked.output
            assert forked.output.count("at exit") == 1
            assert forked.reaped["cpu"] > 0 and forked.reaped["rss"] > 0
    assert server.process.returncode == 0
    assert "at exit" not in server.output()
    assert read_stream(server.stream)[-1] == {"event": "end", "code": 0}


def test_children_run_side_by_side(project):
    _zoo(project)
    with Server(project) as server:
        server.until("serving")
        count = len(project.suite())
        orders = []
        for seed in range(8):
            order = list(range(count))
            random.Random(seed).shuffle(order)
            orders.append(order)
        alone = [_plain(server.run(order, sections=True)) for order in orders]
        together = [server.ask(order, sections=True) for order in orders]
        assert [_plain(server.result(run)) for run in together] == alone
        events = read_stream(server.stream)
        assert len([e for e in events if e["event"] == "forked"]) == 16


def test_a_dead_child_is_reaped_and_the_server_lives(project):
    project.write(
        "test_d.py",
        """
        import os, signal
        def test_a(): pass
        def test_dies(): os.kill(os.getpid(), signal.SIGSEGV)
        def test_exits(): os._exit(5)
        """,
    )
    with Server(project) as server:
        server.until("serving")
        died = server.run([0, 1, 0])
        assert died.code == -signal.SIGSEGV and executed(died) == [0, 1] and died.all("end") == []
        assert server.run([2]).code == 5
        assert server.run([0, 0]).code == 0


def test_an_order_that_does_not_fit_fails_its_run_only(project):
    project.write("test_d.py", "def test_a(): pass\n")
    with Server(project) as server:
        server.until("serving")
        assert server.run([5]).one("end")["code"] == 4
        assert server.run([0], order="/no/such/file").code == 3
        assert server.run([0]).code == 0


def test_the_end_of_the_requests_kills_the_children(project):
    project.write(
        "test_d.py",
        """
        import os, subprocess, time
        def test_hangs():
            child = subprocess.Popen(["sleep", "600"])
            with open(os.environ["TMPDIR"] + "/pids.tmp", "w") as file:
                file.write("%d %d" % (os.getpid(), child.pid))
            os.rename(file.name, os.environ["TMPDIR"] + "/pids")
            child.wait()
        """,
    )
    with Server(project) as server:
        server.until("serving")
        run = server.ask([0])
        forked = server.until("forked", run=run["id"])
        assert os.getpgid(forked["pid"]) == forked["pid"]
        path = os.path.join(run["tmpdir"], "pids")
        while not os.path.exists(path):
            assert server.process.poll() is None
    with open(path) as file:
        pids = [int(pid) for pid in file.read().split()]
    assert pids[0] == forked["pid"]
    deadline = time.monotonic() + 30
    while not all(_gone(pid) for pid in pids):
        assert time.monotonic() < deadline


def _gone(pid):
    """Killed, though perhaps not yet reaped by whoever adopted it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True, name='worker').start()",
            "worker",
        ),
        ("import socket\nPAIR = socket.socketpair()", "socket opened"),
        (
            "import sqlite3, os\nDB = sqlite3.connect(os.path.join(os.path.dirname(__file__), 'x.db'))\nDB.execute('create table if not exists t (a)')",
            "x.db",
        ),
        ("import tempfile\nFOLDER = tempfile.TemporaryDirectory()", "temporary path"),
        ("import mmap\nMEMORY = mmap.mmap(-1, 4096)", "memory shared"),
        ("import subprocess\nPROGRAM = subprocess.Popen(['sleep', '0'])", "process started"),
        ("import asyncio\nLOOP = asyncio.new_event_loop()", "opened while collecting"),
    ],
)
@pytest.mark.parametrize("file", ["conftest.py", "test_x.py"])
def test_what_cannot_be_forked_is_told(project, file, body, reason):
    project.write("test_y.py", "def test_y(): pass\n").write(file, "")
    (project.root / file).write_text(body + "\n")
    with Server(project) as server:
        unsafe = server.until("serving")["unsafe"]
        assert unsafe and all(isinstance(sentence, str) for sentence in unsafe)
        assert any(reason in sentence for sentence in unsafe), unsafe


def test_the_collector_hides_nothing_from_a_test(project):
    project.write(
        "test_d.py",
        """
        import gc, weakref
        class Circle:
            def __init__(self): self.me = self
        HELD = [Circle()]
        WEAK = weakref.ref(HELD[0])
        def test_found(): assert any(type(found) is Circle for found in gc.get_objects())
        def test_referred(): assert any(found is HELD for found in gc.get_referrers(HELD[0]))
        def test_collected():
            HELD.clear()
            gc.collect()
            assert WEAK() is None
        """,
    )
    with Server(project) as server:
        server.until("serving")
        for order in ([0, 1, 2], [2]):
            assert server.run(order).bad() == project.run(order).bad() == []


def test_a_project_may_block_the_signal_of_children(project):
    project.write(
        "conftest.py", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})\n"
    )
    project.write(
        "test_d.py",
        """
        import signal
        def test_blocked():
            assert signal.SIGCHLD in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        """,
    )
    with Server(project) as server:
        server.until("serving")
        assert server.run([0]).bad() == []


def test_a_server_that_cannot_collect_ends_as_pytest_does(project):
    project.write("test_d.py", "import no_such_module_anywhere\n")
    with Server(project) as server:
        server.until("end", code=2)
        server.until("collect-error", path="test_d.py")
    assert server.process.returncode == 2


def test_tests_cannot_read_the_requests(project):
    project.write(
        "test_d.py",
        """
        import os
        def test_a():
            links = [os.readlink("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd")
                     if os.path.exists("/proc/self/fd/" + fd)]
            assert not [link for link in links if link.startswith("pipe:")], links
            assert len([link for link in links if link.endswith(".jsonl")]) == 1, links
        """,
    )
    with Server(project) as server:
        server.until("serving")
        assert server.run([0]).bad() == []
