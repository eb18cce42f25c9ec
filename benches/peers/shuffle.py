"""50 orders: by flakehunt, and by what people start in a loop."""

import shlex

from contest import Contender
from environments import environment

SEEDS = 50


def contenders(name, flakehunt, peer_seeds=SEEDS):
    """Those that run the suite in 50 orders; the loops run `peer_seeds` of them, and the figures are scaled."""
    heavy = name == "heavy"
    share = peer_seeds / SEEDS
    plain, randomly, xdist = (environment(peer, heavy) for peer in ("plain", "randomly", "xdist"))
    one = f"{shlex.quote(str(randomly / 'python'))} -m pytest -q --randomly-seed=@"
    apart = f"{shlex.quote(str(xdist / 'python'))} -m pytest -q -n2"
    hunt = [
        flakehunt,
        "shuffle",
        "--seeds",
        str(SEEDS),
        "--progress",
        "none",
        "--python",
        str(plain / "python"),
    ]
    return [
        Contender("flakehunt", hunt),
        Contender("flakehunt --no-bisect", [*hunt, "--no-bisect"]),
        Contender(
            "flakehunt --executor spawn --no-bisect",
            [*hunt, "--executor", "spawn", "--jobs", "2", "--no-bisect"],
        ),
        Contender("pytest-randomly, xargs -P2", _shell(f"seq {peer_seeds} | xargs -P2 -I@ {one}"), share),
        Contender("pytest-randomly, loop", _shell(f"seq {peer_seeds} | xargs -P1 -I@ {one}"), share),
        Contender("pytest-xdist -n2, loop", _shell(f"for i in $(seq {peer_seeds}); do {apart}; done"), share),
    ]


def _shell(line):
    return ["sh", "-c", line]
