"""Contenders in turn, round after round, and the table of what came out."""

import os
import platform
import statistics
import sys
from collections import namedtuple
from datetime import date

from measure import TooLong, counted, timed

# `share` of the work is done, and the figures are multiplied: for loops of independent processes, which take minutes.
# `between` holds the beginnings of two lines of standard error: what is timed is from the first one to the second.
Contender = namedtuple("Contender", "name command share between", defaults=(1.0, None))
Row = namedtuple("Row", "name wall low high cpu starts tests peak own share")


def contest(contenders, folder, rounds, patience=900, count=True):
    """Runs every contender once a round, in turn. Gives a row for each."""
    figures = {contender.name: [] for contender in contenders}
    counts = {
        contender.name: _count(contender, folder, patience)
        for contender in contenders
        if count and not contender.between
    }
    for number in range(rounds):
        for contender in contenders:
            print(f"round {number + 1}: {contender.name}", file=sys.stderr, flush=True)
            if figures[contender.name] is None:
                continue
            try:
                figures[contender.name].append(timed(contender.command, folder, patience, contender.between))
            except TooLong:
                figures[contender.name] = None
    return [_row(contender, figures[contender.name], counts.get(contender.name)) for contender in contenders]


def _count(contender, folder, patience):
    try:
        return counted(contender.command, folder, patience)
    except TooLong:
        return None


def _row(contender, taken, seen):
    def scaled(value):
        return value / contender.share

    blank = Row(contender.name, *[None] * 8, share=contender.share)
    if seen is not None:
        blank = blank._replace(
            starts=scaled(seen.starts), tests=scaled(seen.tests), peak=seen.peak, own=seen.own
        )
    if not taken:
        return blank
    walls = [scaled(one.wall) for one in taken]
    cpu = None if contender.between else statistics.median(scaled(one.cpu) for one in taken)
    return blank._replace(wall=statistics.median(walls), low=min(walls), high=max(walls), cpu=cpu)


def table(title, rows, against):
    """A table in Markdown; the ratio is a contender's time over that of the row named `against`."""
    base = next((row.wall for row in rows if row.name == against), None)
    out = [f"### {title}", ""]
    out.append("| contender | wall s | min to max | CPU s | ratio | pytest starts | tests run | peak MiB |")
    out.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        wall = "did not end" if row.wall is None else f"{row.wall:.2f}"
        span = "" if row.wall is None else f"{row.low:.2f} to {row.high:.2f}"
        cpu = "" if row.cpu is None else f"{row.cpu:.1f}"
        ratio = "" if row.wall is None or not base else f"{row.wall / base:.1f}"
        counts = ["" if value is None else f"{value:,.0f}" for value in (row.starts, row.tests, row.peak)]
        part = "" if row.share == 1 else f" ({row.share:.0%} of it, scaled)"
        out.append(f"| {row.name}{part} | {wall} | {span} | {cpu} | {ratio} | {' | '.join(counts)} |")
    return "\n".join(out) + "\n"


def circumstances(rounds):
    """Where and when, for the head of a table."""
    cpu = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            cpu = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{date.today()}, {os.cpu_count()} cores ({cpu}), {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, medians of {rounds} rounds in turn, load {load}"
    )
