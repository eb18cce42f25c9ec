from datetime import datetime

from shop import clock

NOON = datetime(2020, 2, 28, 12, 0)


def test_freeze():
    clock.freeze(NOON)
    assert clock.now() == NOON


def test_days_from_now_in_a_leap_year():
    try:
        clock.freeze(NOON)
        assert clock.days_from_now(1).day == 29
    finally:
        clock.thaw()


def test_time_goes_on():
    clock.thaw()
    assert clock.now() <= clock.now()
