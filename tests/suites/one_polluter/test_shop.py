import os


class TestCart:
    def test_empty(self):
        assert sum([]) == 0

    def test_currency(self):
        os.environ["SHOP_CURRENCY"] = "EUR"
        assert os.environ["SHOP_CURRENCY"] == "EUR"


def test_title():
    assert "shop".title() == "Shop"
