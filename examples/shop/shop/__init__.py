"""A small shop: goods, a cart, prices with tax, orders."""
