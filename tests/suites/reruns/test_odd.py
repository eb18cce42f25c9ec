import pytest
from counted import count

IDS = ["a b", "x::y", "l1\nl2", "[]", "'\"<&", "-x", "é中"]


@pytest.mark.parametrize("number", range(len(IDS)), ids=IDS)
def test_id(number):
    assert count(f"odd{number}") >= 1
