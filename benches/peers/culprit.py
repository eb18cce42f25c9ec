"""Why does this test fail? By flakehunt, and by what people use for that."""

from contest import Contender
from environments import environment
from suites import VICTIM

# These two want hours of the large suite, and of whatever imports much.
_NOT_LARGE = ("pytest-find-dependencies", "whyflaky")


def contenders(name, flakehunt):
    """Those that find out which test breaks the victim, from nothing but its name; the last two need not even that."""
    heavy = name == "heavy"
    plain, pollution, bisect, dependencies, why = (
        environment(peer, heavy)
        for peer in ("plain", "test-pollution", "bisect-tests", "find-dependencies", "whyflaky")
    )
    python = ["--python", str(plain / "python")]
    bisect_all = [flakehunt, "bisect", VICTIM, "--progress", "none", *python]
    shuffle = [flakehunt, "shuffle", "--seeds", "50", "--progress", "plain", *python]
    everyone = [
        Contender("flakehunt bisect", bisect_all),
        Contender("flakehunt bisect --first", [*bisect_all, "--first"]),
        Contender("flakehunt shuffle, all orders done to proven", shuffle, between=("proving", "proven")),
        Contender(
            "detect-test-pollution",
            _with(pollution, "detect-test-pollution", "--failing-test", VICTIM, "--tests", "."),
        ),
        Contender("pytest-bisect-tests", _with(bisect, "pytest-bisect-tests", "--failing-test", VICTIM)),
        Contender(
            "pytest-find-dependencies",
            _with(dependencies, "python", "-m", "pytest", "-q", "--find-dependencies"),
        ),
        Contender("whyflaky", _with(why, "whyflaky", "scan", ".")),
    ]
    return [one for one in everyone if name != "large" or one.name not in _NOT_LARGE]


def _with(programs, program, *arguments):
    """These start `pytest` by its name."""
    return ["env", f"PATH={programs}:/usr/bin:/bin", str(programs / program), *arguments]
