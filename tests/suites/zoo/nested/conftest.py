"""Hooks and fixtures of one folder only."""

import pytest


def pytest_runtest_setup(item):
    item.in_nested = True


@pytest.fixture
def leaves_badly():
    yield "not here"
