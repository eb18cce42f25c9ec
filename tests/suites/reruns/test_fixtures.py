import pytest
from counted import count


@pytest.fixture(scope="session")
def connection():
    return count("connection")


@pytest.fixture(scope="class")
def table(connection):
    return count("table")


@pytest.fixture
def closed():
    yield
    if count("closed") < 1:
        raise OSError("still open")


def test_connected(connection):
    assert connection > 0


class TestTable:
    def test_filled(self, table):
        assert table > 0

    def test_read(self, table):
        assert table is not None


def test_closes(closed):
    assert True
