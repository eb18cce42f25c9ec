import pytest


def test_before():
    assert True


def test_never():
    raise ValueError("this is broken")


@pytest.mark.skip(reason="not today")
def test_skipped():
    raise AssertionError


@pytest.mark.xfail(reason="known")
def test_expected():
    raise AssertionError
