import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.nodeid, reverse=True)


@pytest.fixture(scope="session", params=["red", "blue"])
def color(request):
    return request.param
