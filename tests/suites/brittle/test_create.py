import database


def test_nothing():
    assert database.connection


def test_table():
    database.connection.execute("create table if not exists item (name text)")
