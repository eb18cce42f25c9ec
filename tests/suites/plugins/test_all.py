import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

spoiled = []


def test_polluter():
    spoiled.append(1)


@pytest.mark.order(1)
def test_victim():
    assert not spoiled


async def test_asynchronous():
    await asyncio.sleep(0)


@given(st.integers())
def test_property(number):
    assert number + 0 == number


@pytest.mark.flaky(reruns=3)
def test_random():
    assert 0 <= random.random() < 1
