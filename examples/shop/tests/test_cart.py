import pytest

from shop.cart import Cart


@pytest.fixture
def cart():
    cart = Cart()
    cart.add("mug", 850, 2)
    cart.add("pen", 120)
    return cart


def test_new_cart_is_empty():
    assert Cart().total() == 0


def test_total(cart):
    assert cart.total() == 1820


def test_remove(cart):
    cart.remove("mug")
    assert cart.total() == 120


def test_remove_what_is_not_there(cart):
    cart.remove("lamp")
    assert len(cart.lines) == 2


def test_no_pieces(cart):
    with pytest.raises(ValueError, match="at least one"):
        cart.add("mug", 850, 0)


def test_receipt(cart):
    assert cart.receipt().splitlines() == ["2 x mug: €17.00", "1 x pen: €1.20", "total: €18.20"]
