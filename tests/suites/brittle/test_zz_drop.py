import database


def test_drop():
    database.connection.execute("drop table if exists item")
