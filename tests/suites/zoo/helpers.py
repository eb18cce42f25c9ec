"""Functions with doctests.

>>> STATE["calls"]
0
"""

STATE = {"calls": 0}


def doubled(number):
    """Twice the number.

    >>> doubled(2)
    4
    >>> print("zoo: in a doctest")
    zoo: in a doctest
    """
    STATE["calls"] += 1
    return 2 * number


def broken():
    """A doctest that fails.

    >>> broken()
    1
    """
    return 2
