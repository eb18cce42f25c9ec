"""What belongs to the process: environment, directory, signals, descriptors, threads, children."""

import asyncio
import gc
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref

import pytest

HOME = os.getcwd()
POOL = []


class Node:
    """Part of a circle, which only the garbage collector takes apart."""

    def __init__(self):
        self.me = self


HELD = {"node": Node()}
WEAK = weakref.ref(HELD["node"])


def test_sets_a_variable():
    os.environ["ZOO"] = "set"


def test_needs_no_variable():
    assert [name for name in os.environ if name.startswith("ZOO")] == []


def test_sets_a_variable_for_itself(monkeypatch):
    monkeypatch.setenv("ZOO_OWN", "1")
    assert subprocess.check_output(["sh", "-c", "echo $ZOO_OWN"]) == b"1\n"


def test_goes_elsewhere(tmp_path):
    os.chdir(tmp_path)


def test_is_at_home():
    assert os.getcwd() == HOME


def test_umask():
    assert os.umask(0o022) == 0o022


def test_sets_umask():
    os.umask(0o077)


def test_child_signal_is_as_ever():
    assert signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL
    assert signal.set_wakeup_fd(-1) == -1


def test_signals_reach_it():
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)
    assert seen == [1]


def test_leaves_a_handler():
    signal.signal(signal.SIGUSR2, lambda *_: None)


def test_has_no_handler():
    assert signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL


def test_interrupts_as_ever():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_alarm():
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)  # again and again: the first may come before the pause
    while not seen:
        signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_leads_its_group():
    assert os.getpgid(0) == os.getpid()


def test_standard_input_is_empty():
    assert os.read(0, 1) == b""
    with pytest.raises(OSError):
        sys.stdin.read()


def test_children_can_be_waited_for():
    pid = os.fork()
    if not pid:
        os._exit(3)
    assert os.waitpid(pid, 0)[1] == 3 << 8
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, 0)


def test_program():
    assert subprocess.check_output([sys.executable, "-c", "print(1)"]) == b"1\n"


def test_pool():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(abs, [-1, -2]) == [1, 2]


def test_process_prints(capfd):
    process = multiprocessing.get_context("fork").Process(
        target=print, args=("from afar",), kwargs={"flush": True}
    )
    process.start()
    process.join()
    assert process.exitcode == 0
    assert capfd.readouterr().out == "from afar\n"


def test_no_descriptor_is_left_open():
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    assert lowest < 60


def test_ports():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        with socket.create_connection(one.getsockname()) as other:
            other.sendall(b"x")
            accepted, _ = one.accept()
            with accepted:
                assert accepted.recv(1) == b"x"


def test_thread():
    out = []
    thread = threading.Thread(target=lambda: out.append(threading.current_thread().name))
    thread.start()
    thread.join()
    print("zoo:", out)


def test_thread_fails():
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()


def test_leaves_a_thread():
    event = threading.Event()
    thread = threading.Thread(target=event.wait, daemon=True)
    thread.start()
    POOL.append((thread, event))


def test_counts_threads():
    assert threading.active_count() == 1


def test_main_thread():
    assert threading.current_thread() is threading.main_thread()
    assert threading.get_native_id() == os.getpid()


def test_coroutine():
    async def nothing():
        await asyncio.sleep(0)
        return threading.active_count()

    print("zoo:", asyncio.run(nothing()))


def test_loop_with_a_child():
    async def program():
        process = await asyncio.create_subprocess_exec("true")
        return await process.wait()

    before = threading.enumerate()
    assert asyncio.run(program()) == 0
    # Older loops wait for children in a thread, which may still be ending. Each version names it in its own way.
    for thread in threading.enumerate():
        if thread not in before:
            thread.join()


def test_random_numbers():
    print("zoo:", random.random(), random.getrandbits(64))


def test_temporary_files():
    with tempfile.NamedTemporaryFile() as file:
        assert os.path.dirname(file.name) == os.environ["TMPDIR"]
    assert os.listdir(os.environ["TMPDIR"]) == []


def test_leaves_a_temporary_file():
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"left")


def test_clock_goes_on():
    assert time.monotonic() <= time.monotonic()


def test_garbage_of_import_time_is_collected():
    HELD.clear()
    gc.collect()
    assert WEAK() is None


def test_what_was_imported_can_be_found():
    assert any(type(found) is Node for found in gc.get_objects()) == bool(HELD)
    assert any(found is HELD for found in gc.get_referrers(HELD["node"]))


def test_garbage_is_collected():
    node = Node()
    weak = weakref.ref(node)
    del node
    gc.collect()
    assert weak() is None


def test_exits():
    sys.exit(3)


def test_imports_lazily():
    import colorsys  # noqa: F401

    assert "colorsys" in sys.modules


def test_is_not_imported():
    assert "colorsys" not in sys.modules
