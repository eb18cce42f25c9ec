import pytest

from shop import money


@pytest.mark.parametrize("cents, share", [(100, [34, 33, 33]), (2, [1, 1, 0]), (9, [3, 3, 3])])
def test_split(cents, share):
    assert money.split(cents, 3) == share


def test_nothing_is_lost():
    assert sum(money.split(1999, 7)) == 1999


@pytest.mark.parametrize("cents, tax", [(100, 119), (0, 0), (1, 1), (3, 4)])
def test_with_tax(cents, tax):
    assert money.with_tax(cents) == tax


def test_shown_in_euros():
    assert money.shown(1999) == "€19.99"


def test_small_change():
    assert money.shown(5).endswith("0.05")


def test_owed():
    assert money.shown(-250).startswith("-")
