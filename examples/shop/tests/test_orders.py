import pytest

from shop import orders
from shop.cart import Cart


@pytest.fixture
def order():
    cart = Cart()
    cart.add("lamp", 4000)
    return orders.place(7, cart)


def test_an_order_costs_tax(order):
    assert order.cents == 4760


def test_an_empty_cart_is_no_order():
    with pytest.raises(ValueError, match="empty"):
        orders.place(8, Cart())


def test_a_new_order_is_fresh(order):
    assert order.is_fresh()


def test_number_is_shown(order):
    assert order.line().startswith("#7: ")
