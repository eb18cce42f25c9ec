"""One test 100 times: by flakehunt, by a loop of fresh processes, and by the plugins that repeat in one process."""

import shlex

from contest import Contender
from environments import environment
from suites import NEUTRAL

COUNT = 100


def contenders(name, flakehunt, loops=COUNT):
    """Those that run a healthy test 100 times; the loops run it `loops` times, and the figures are scaled."""
    heavy = name == "heavy"
    share = loops / COUNT
    plain, repeat, finder = (environment(peer, heavy) for peer in ("plain", "repeat", "flakefinder"))
    python = str(plain / "python")
    again = [flakehunt, "repeat", NEUTRAL, "--count", str(COUNT), "--progress", "none", "--python", python]
    one = f"{shlex.quote(python)} -m pytest -q {NEUTRAL}"
    return [
        Contender("flakehunt repeat", again),
        Contender("flakehunt repeat --in-process", [*again, "--in-process"]),
        Contender("pytest, loop", ["sh", "-c", f"for i in $(seq {loops}); do {one}; done"], share),
        Contender("pytest, xargs -P2", ["sh", "-c", f"seq {loops} | xargs -P2 -I@ {one}"], share),
        Contender("pytest-repeat", _with(repeat, f"--count={COUNT}")),
        Contender("pytest-flakefinder", _with(finder, "--flake-finder", f"--flake-runs={COUNT}")),
    ]


def _with(programs, *options):
    return [str(programs / "python"), "-m", "pytest", "-q", *options, NEUTRAL]
