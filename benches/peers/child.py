"""What a forked child with one empty test costs: processor time, and memory that it does not share."""

import json
import statistics
import subprocess
import time
from pathlib import Path

from environments import environment
from suites import NEUTRAL

COUNT = 200


def cost(name, flakehunt, folder):
    """A line: medians over the children of one hunt."""
    python = environment("plain", name == "heavy") / "python"
    command = [flakehunt, "repeat", NEUTRAL, "--count", str(COUNT), "--jobs", "1", "--progress", "none"]
    command += ["--python", str(python)]
    hunt = subprocess.Popen(
        command,
        cwd=str(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    private = {}
    while hunt.poll() is None:
        for server in _children(hunt.pid):
            for child in _children(server):
                private[child] = max(private.get(child, 0), _private(child))
        time.sleep(0.002)
    journal = max(
        (folder / ".flakehunt" / "sessions").glob("*/journal.jsonl"), key=lambda path: path.stat().st_mtime
    )
    events = [json.loads(line)["event"] for line in journal.read_text().splitlines()]
    fresh = {event["run"] for event in events if event["event"] == "asked" and event["spec"].get("fresh")}
    cpu = [
        event["cost"]["cpu_ms"]
        for event in events
        if event["event"] == "answered" and event["run"] not in fresh
    ]
    caught = [value / 1024 for value in private.values() if value]
    memory = f"{statistics.median(caught):.1f} to {max(caught):.1f}" if caught else "?"
    return f"| {name} | {len(cpu)} | {statistics.median(cpu):.0f} | {len(caught)} | {memory} |"


def table(lines):
    """The lines as a table in Markdown."""
    head = "| suite | children | CPU ms (median) | looked at | memory of its own, MiB (median, most) |"
    return "\n".join(["### child", "", head, "| --- | ---: | ---: | ---: | ---: |", *lines]) + "\n"


def _children(pid):
    try:
        listed = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has gone
        return []
    return [int(child) for text in listed for child in text.split()]


def _private(pid):
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    # Pages that it has written to. What it only reads of files belongs to whoever reads them.
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:"))
