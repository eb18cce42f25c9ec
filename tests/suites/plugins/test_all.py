import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

spoiled = []
spoiled_in_a_loop = []


def test_polluter():
    spoiled.append(1)


@pytest.mark.order(1)
def test_victim():
    assert not spoiled


async def test_asynchronous():
    await asyncio.sleep(0)


async def test_asynchronous_polluter():
    await asyncio.sleep(0)
    spoiled_in_a_loop.append(1)


async def test_asynchronous_victim():
    await asyncio.sleep(0)
    assert not spoiled_in_a_loop


@given(st.integers())
def test_property_victim(number):
    assert not spoiled_in_a_loop


@given(st.integers())
def test_property(number):
    assert number + 0 == number


@pytest.mark.flaky(reruns=3)
def test_random():
    assert 0 <= random.random() < 1
