import os
import pathlib
import random
import signal
import time

import pytest

seen = []
drawn = []


def test_healthy():
    pass


def test_by_seed():
    assert random.random() > 0.5


def test_by_hash_seed():
    assert hash("flakehunt") % 2


def test_by_coin():
    assert os.urandom(1)[0] >= 128


def test_broken():
    raise ValueError("no")


def test_skipped():
    pytest.skip("not today")


def test_once():
    assert not seen
    seen.append(1)


def test_twice():
    drawn.append(1)
    assert len(drawn) < 3


@pytest.fixture(scope="module")
def basket():
    return []


def test_basket(basket):
    basket.append("mug")
    assert basket == ["mug"]


def test_crashes_by_seed():
    if random.random() < 0.5:
        os.kill(os.getpid(), signal.SIGSEGV)


def test_slow_by_seed():
    time.sleep(0.5 if random.random() < 0.5 else 0)


def test_remembered():
    once = pathlib.Path.home() / "once"
    assert not once.exists()
    once.touch()


def test_under_load():
    process = pathlib.Path("/proc/self")
    names = []
    # Up to whoever started the process that collected.
    while process.exists() and process.name != "0":
        names += [(task / "comm").read_text().strip() for task in (process / "task").iterdir()]
        process = process.parent / (process / "stat").read_text().rsplit(")", 1)[1].split()[1]
    assert "load" not in names


class TestNames:
    @pytest.mark.parametrize("name", ["a b", "c::d", "e]f", "é"])
    def test_name(self, name):
        assert name

    def test_other(self):
        pass
