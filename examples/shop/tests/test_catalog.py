import pytest

from shop import catalog


def test_load_goods():
    assert catalog.load("mug,850\nred mug,900\npen,120\n") == 3


def test_search_by_word():
    assert catalog.search("mug") == ["mug", "red mug"]


def test_search_for_nothing_known():
    assert catalog.search("spaceship") == []


def test_load_nonsense():
    with pytest.raises(ValueError):
        catalog.load("mug,cheap\n")


def test_load_nothing():
    before = len(catalog.goods)
    assert catalog.load("") == before
