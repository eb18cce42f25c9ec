import database


def test_one():
    assert database.connection.execute("select 1").fetchall() == [(1,)]


def test_select():
    assert database.connection.execute("select * from item").fetchall() == []
