"""One contender, once: what it took, what it started, what it held in memory."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import namedtuple
from pathlib import Path

Taken = namedtuple("Taken", "wall cpu")
Counted = namedtuple("Counted", "starts tests peak own output")
UNWANTED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTEST_ADDOPTS", "PYTHONPATH")
_SAMPLED = 0.05
_COUNTER = """import os

FILE = os.environ["PEERS_COUNT"]


def _note(byte):
    fd = os.open(FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, byte)
    os.close(fd)


def pytest_configure():
    _note(b"P")


def pytest_runtest_setup():
    _note(b"t")
"""


class TooLong(Exception):
    """A contender was ended: its time was up."""


def timed(command, folder, patience=900, between=None):
    """Wall seconds, and CPU seconds of the command and of all that it waited for. With `between`, the wall seconds from
    one line of standard error to another one, by their beginnings.

    Programs that keep bytecode from being written are unfair to whoever starts Python often: the variable goes.
    """
    began = time.perf_counter()
    errors = subprocess.PIPE if between else subprocess.DEVNULL
    child = _start(command, folder, {}, subprocess.DEVNULL, errors)
    seen = []
    with _patient(child, patience) as ended:
        if between:
            for line in child.stderr:
                if len(seen) < 2 and line.decode().startswith(between[len(seen)]):
                    seen.append(time.perf_counter())
        _, _, used = os.wait4(child.pid, 0)
    child.returncode = 0
    if ended.is_set():
        raise TooLong
    wall = seen[1] - seen[0] if between else time.perf_counter() - began
    return Taken(wall, used.ru_utime + used.ru_stime)


def counted(command, folder, patience=900):
    """Pytest starts, test executions, and peak memory in MiB: of all processes together, and of the first one.

    Apart from the timed rounds, since counting takes time. A plugin counts, whoever starts pytest; memory is the
    proportional share (Linux), looked at twenty times a second.
    """
    with tempfile.TemporaryDirectory() as home:
        count = Path(home) / "count"
        count.touch()
        (Path(home) / "peers_counter.py").write_text(_COUNTER)
        more = {"PEERS_COUNT": str(count), "PYTEST_PLUGINS": "peers_counter", "PYTHONPATH": home}
        with tempfile.TemporaryFile() as output:
            child = _start(command, folder, more, output, subprocess.STDOUT)
            peak, own = 0.0, 0.0
            deadline = time.monotonic() + patience
            while child.poll() is None:
                shares = _shares(child.pid)
                peak, own = max(peak, sum(shares.values())), max(own, shares.get(child.pid, 0.0))
                if time.monotonic() > deadline:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
                    raise TooLong
                time.sleep(_SAMPLED)
            output.seek(0)
            seen = count.read_bytes()
            text = output.read().decode(errors="replace")
            return Counted(seen.count(b"P"), seen.count(b"t"), peak, own, text)


def _start(command, folder, more, output, errors):
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    return subprocess.Popen(
        command,
        cwd=str(folder),
        env={**kept, **more},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
    )


class _patient:
    """Ends a group whose time is up."""

    def __init__(self, child, seconds):
        self.ended = threading.Event()
        self.timer = threading.Timer(seconds, self._end, [child.pid])
        self.timer.daemon = True

    def _end(self, pid):
        self.ended.set()
        os.killpg(pid, signal.SIGKILL)

    def __enter__(self):
        self.timer.start()
        return self.ended

    def __exit__(self, *_):
        self.timer.cancel()


def _shares(root):
    """The proportional memory of a process and of its descendants, MiB by process id."""
    parents, shares = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError):  # it has gone
                continue
    family = {root}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family and pid not in family}
        if not more:
            break
        family |= more
    for pid in family:
        try:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    shares[pid] = int(line.split()[1]) / 1024
        except (OSError, ValueError):
            continue
    return shares
