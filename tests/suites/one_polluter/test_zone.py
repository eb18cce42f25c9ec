import os


def test_names():
    assert sorted(["b", "a"]) == ["a", "b"]


def test_utc():
    assert os.environ.get("SHOP_CURRENCY", "USD") == "USD"
