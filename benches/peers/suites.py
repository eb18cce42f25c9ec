"""The suites that everybody runs, made below target/peers: each has one test that breaks another one.

The polluter comes first in collection order: the victim passes alone and fails in a plain `pytest`.
"""

from environments import ROOT

HOME = ROOT / "target" / "peers"
POLLUTER = "test_m03.py::test_polluter"
VICTIM = "test_m08.py::test_victim"
NEUTRAL = "test_m01.py::test_t005"
ABOUT = {
    "light": "200 empty tests",
    "heavy": "200 empty tests that import numpy, pandas, scikit-learn and matplotlib",
    "large": "5,000 empty tests: functions, parameters, classes",
    "slow": "100 tests that sleep for 20 ms, 100 that burn 5 ms of CPU",
}
_STATE = "STATE = {'flag': 0}\n"
_POLLUTES = "def test_polluter():\n    state.STATE['flag'] = 1\n\n\n"
_BREAKS = "def test_victim():\n    assert state.STATE['flag'] == 0\n\n\n"
_IMPORTS = "import numpy\nimport pandas\nimport sklearn.ensemble\nimport matplotlib.pyplot\n"
_FIXTURE = "import pytest\n\n\n@pytest.fixture\ndef thing():\n    return {'k': 1}\n"
_BURN = """import time


def burn(seconds):
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        pass


"""
_MANY = """@pytest.mark.parametrize('x', range(15))
def test_param(x):
    assert x >= 0


class TestK:
"""


def suite(name):
    """The folder of a suite."""
    folder = HOME / name
    folder.mkdir(parents=True, exist_ok=True)
    modules = 100 if name == "large" else 10
    conftest = {"heavy": _IMPORTS, "large": _FIXTURE}.get(name, "")
    files = {"state.py": _STATE, "pytest.ini": "[pytest]\npythonpath = .\n", "conftest.py": conftest}
    files.update({f"test_m{number:02d}.py": _module(name, number) for number in range(modules)})
    for file, text in files.items():
        path = folder / file
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    return folder


def _module(name, number):
    head = "import pytest\nimport state\n\n\n" if name == "large" else "import state\n\n\n"
    text = (_BURN if name == "slow" else "") + head
    for place in range(20):
        if (number, place) == (3, 11):
            text += _POLLUTES
        elif (number, place) == (8, 13):
            text += _BREAKS
        else:
            text += f"def test_t{place:03d}():\n    {_body(name, place)}\n\n\n"
    if name == "large":
        text += _MANY
        for place in range(15):
            thing = ", thing" if place % 3 == 0 else ""
            text += f"    def test_c{place:02d}(self{thing}):\n        assert self is not None\n\n"
    return text


def _body(name, place):
    if name != "slow":
        return "assert 1 + 1 == 2"
    return "time.sleep(0.020)" if place % 2 else "burn(0.005)"
