"""Tests of a package with a conftest of its own."""

import pytest

CALLS = []


def setUpModule():
    CALLS.append("setUpModule")


def tearDownModule():
    CALLS.append("tearDownModule")


def test_set_up_like_unittest():
    assert CALLS[-1] == "setUpModule"


def test_hook_of_the_folder(request):
    assert request.node.in_nested


def test_overridden(leaves_badly):
    assert leaves_badly == "not here"


def test_package(in_package):
    assert in_package["package"] == 1


@pytest.mark.marked
@pytest.mark.usefixtures("in_package")
class TestInPackage:
    def test_uses(self, request):
        assert request.node.get_closest_marker("marked")
