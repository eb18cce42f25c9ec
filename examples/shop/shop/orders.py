"""Orders: a cart that was paid for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from . import clock, money
from .cart import Cart


@dataclass
class Order:
    number: int
    placed: datetime
    cents: int

    def is_fresh(self) -> bool:
        return datetime.now() - self.placed < timedelta(hours=1)

    def line(self) -> str:
        return f"#{self.number}: {money.shown(self.cents)}"


def place(number: int, cart: Cart) -> Order:
    if not cart.lines:
        raise ValueError("the cart is empty")
    return Order(number, clock.now(), money.with_tax(cart.total()))
