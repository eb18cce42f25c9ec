#!/usr/bin/env python3
"""50 orders by flakehunt against 50 seeds of pytest-randomly, two at a time, in turn on the same machine.

    python3 benches/peers/shuffle.py [--rounds 3] [--suites light,large,waiting] [--flakehunt target/release/flakehunt]

Builds nothing but two environments below target/venvs and the suites below target/peers. Prints the median wall time
of each contender, the ratio (flakehunt / randomly; below 1 flakehunt is faster) and the driver's largest resident
memory. `spawn` is the whole of `shuffle --no-bisect`, baseline and collections included; `fork` likewise; `hunt` is
`shuffle` with classes, culprits and proofs.
"""

import argparse
import os
import resource
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / "target" / "venvs"
SUITES = ROOT / "target" / "peers"
PINS = {"peer-plain": ["pytest==9.2.0"], "peer-randomly": ["pytest==9.2.0", "pytest-randomly==5.1.0"]}
STATE = "FLAG = {'on': False}\n"
POLLUTER = "def test_polluter():\n    state.FLAG['on'] = True\n\n\n"
VICTIM = "def test_victim():\n    assert not state.FLAG['on']\n\n\n"


def suite(name):
    """200 empty tests, 5,000 of them, or 100 that wait; a polluter and its victim in each."""
    modules, per, body = {
        "light": (10, 20, "assert 1 + 1 == 2"),
        "large": (100, 50, "assert 1 + 1 == 2"),
        "waiting": (10, 10, "time.sleep(0.02)"),
    }[name]
    folder = SUITES / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.py").write_text(STATE)
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    for module in range(modules):
        text = "import time  # noqa: F401\n\nimport state  # noqa: F401\n\n\n"
        text += POLLUTER if module == 1 else ""
        text += "".join(f"def test_{i:03d}():\n    {body}\n\n\n" for i in range(per))
        text += VICTIM if module == modules - 2 else ""
        (folder / f"test_m{module:03d}.py").write_text(text)
    return folder


def environment(name):
    """A virtual environment with pinned distributions, made once."""
    home = VENVS / name
    if not (home / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", "-q", *PINS[name]], check=True)
        (home / "made").touch()
    return home / "bin" / "python"


def timed(command, folder):
    """Wall seconds and the largest resident set of the command itself, in MiB."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")}
    began = time.perf_counter()
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, _, used = os.wait4(child.pid, 0)
    return time.perf_counter() - began, used.ru_maxrss / 1024


def main():
    """Runs every contender once a round, in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--suites", default="light,large,waiting")
    parser.add_argument("--flakehunt", default=str(ROOT / "target" / "release" / "flakehunt"))
    chosen = parser.parse_args()
    plain, randomly = environment("peer-plain"), environment("peer-randomly")
    hunt = [
        chosen.flakehunt,
        "shuffle",
        "--seeds",
        "50",
        "--jobs",
        "2",
        "--progress",
        "none",
        "--python",
        str(plain),
    ]
    loop = f"seq 50 | xargs -P2 -I@ {shlex.quote(str(randomly))} -m pytest -q --randomly-seed=@"
    contenders = {
        "randomly xargs -P2": ["sh", "-c", loop],
        "spawn": [*hunt, "--executor", "spawn", "--no-bisect"],
        "fork": [*hunt, "--executor", "fork", "--no-bisect"],
        "hunt": hunt,
    }
    print(f"{'suite':8} {'contender':20} {'median s':>9} {'ratio':>6} {'driver MiB':>11}")
    for name in chosen.suites.split(","):
        folder = suite(name)
        figures = {contender: [] for contender in contenders}
        for _ in range(chosen.rounds):
            for contender, command in contenders.items():
                figures[contender].append(timed(command, folder))
        base = statistics.median(wall for wall, _ in figures["randomly xargs -P2"])
        for contender, rounds in figures.items():
            wall = statistics.median(wall for wall, _ in rounds)
            memory = max(memory for _, memory in rounds)
            print(f"{name:8} {contender:20} {wall:9.2f} {wall / base:6.2f} {memory:11.1f}", flush=True)
    print(f"children's peak: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
