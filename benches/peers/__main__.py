"""flakehunt side by side with what people would pick instead, on this machine, now.

    cargo build --release && python3 benches/peers shuffle bisect repeat child

Makes pinned environments below target/venvs and suites below target/peers, runs all contenders in turn, and prints
tables in Markdown: medians of wall and CPU time, the ratio to flakehunt, pytest starts, test executions, peak memory.
"""

import argparse
import sys

import child
import culprit
import repeat
import shuffle
from contest import circumstances, contest, table
from environments import ROOT
from suites import ABOUT, suite


def main():
    """Parses, runs, prints."""
    parser = argparse.ArgumentParser(
        prog="python3 benches/peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="+", choices=["shuffle", "bisect", "repeat", "child"])
    parser.add_argument("--suites", default=",".join(ABOUT), help="comma-separated: " + ", ".join(ABOUT))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only", default="", help="contenders whose name holds one of these words, by commas"
    )
    parser.add_argument("--without", help="not those whose name holds this")
    parser.add_argument("--peer-seeds", type=int, default=50, help="fewer, and scaled: loops take minutes")
    parser.add_argument("--peer-repeats", type=int, default=100, help="likewise, of `repeat`")
    parser.add_argument("--no-count", action="store_true", help="without the round that counts")
    parser.add_argument("--patience", type=float, default=900, help="seconds for one contender")
    parser.add_argument("--flakehunt", default=str(ROOT / "target" / "release" / "flakehunt"))
    chosen = parser.parse_args()
    print(circumstances(chosen.rounds) + "\n")
    for what in chosen.what:
        names = chosen.suites.split(",")
        if what == "child":
            print(
                child.table([child.cost(name, chosen.flakehunt, suite(name)) for name in names]), flush=True
            )
            continue
        for name in names:
            if what == "shuffle":
                everyone = shuffle.contenders(name, chosen.flakehunt, chosen.peer_seeds)
            elif what == "repeat":
                everyone = repeat.contenders(name, chosen.flakehunt, chosen.peer_repeats)
            else:
                everyone = culprit.contenders(name, chosen.flakehunt)
            words = chosen.only.split(",")
            some = [one for one in everyone if any(word in one.name for word in words)]
            if chosen.without:
                some = [one for one in some if chosen.without not in one.name]
            rows = contest(some, suite(name), chosen.rounds, chosen.patience, not chosen.no_count)
            print(table(f"{what}, {name}: {ABOUT[name]}", rows, some[0].name), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
