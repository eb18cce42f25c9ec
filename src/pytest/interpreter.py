"""Asked of a Python before it is used: what are you, and which pytest have you?

Runs under any Python since 2.7, so that one that is too old can say so. The answer is one JSON object between two marks:
whatever a chatty sitecustomize or pytest plugin prints stays outside of them.
"""

import json
import os
import platform
import re
import sys


def written_version():
    """The version of an installed pytest, as its build has left it: to import pytest takes ten times as long."""
    import importlib.util

    specs = [importlib.util.find_spec(name) for name in ("pytest", "_pytest", "pluggy")]
    if None in specs or any(spec.origin is None for spec in specs):
        return None
    pytest, own = (os.path.dirname(spec.origin) for spec in specs[:2])
    if os.path.dirname(pytest) != os.path.dirname(own):
        return None
    try:
        with open(os.path.join(own, "_version.py")) as file:
            found = re.search(
                r"^(?:__version__ = )?version = ['\"]([0-9][^'\"]*)['\"]", file.read(), re.MULTILINE
            )
    except (OSError, UnicodeDecodeError):
        return None
    return found and found.group(1)


def imported_version():
    """The version of whatever pytest there is."""
    import pytest

    return str(pytest.__version__)


def answer():
    facts = {
        "version": platform.python_version(),
        "executable": sys.executable or "",
        "prefix": sys.prefix,
        "base_prefix": getattr(sys, "base_prefix", sys.prefix),
        "implementation": platform.python_implementation(),
        "platform": sys.platform + "-" + platform.machine(),
        "has_pip": False,
        "externally_managed": False,
    }
    if sys.version_info < (3, 8):  # noqa: UP036 - whoever asks has not chosen the version
        facts["kind"] = "ok"
        return facts
    import importlib.util
    import sysconfig
    import traceback

    facts["has_pip"] = importlib.util.find_spec("pip") is not None
    if facts["prefix"] == facts["base_prefix"]:
        mark = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
        facts["externally_managed"] = os.path.exists(mark)
    try:
        facts["pytest"] = written_version() or imported_version()
        facts["kind"] = "ok"
    except ModuleNotFoundError as error:
        missing = error.name == "pytest"
        facts["kind"] = "pytest-missing" if missing else "pytest-broken"
        facts["traceback"] = traceback.format_exc()[-2000:]
    except BaseException:  # noqa: BLE001 - a module may even exit when it is imported
        facts["kind"] = "pytest-broken"
        facts["traceback"] = traceback.format_exc()[-2000:]
    return facts


# Past sys.stdout, which anybody may have replaced; in one write, so that nothing comes in between.
os.write(
    1, ("\n<<flakehunt-interpreter " + json.dumps(answer()) + " flakehunt-interpreter>>\n").encode("ascii")
)
