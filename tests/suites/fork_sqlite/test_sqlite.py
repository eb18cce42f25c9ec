"""A database that is opened at import: forked children would fill one table."""

import atexit
import os
import sqlite3
import tempfile

PATH = os.path.join(tempfile.mkdtemp(), "test.db")
DB = sqlite3.connect(PATH)
DB.execute("CREATE TABLE seen (n INTEGER)")
DB.commit()


@atexit.register
def remove():
    DB.close()
    os.path.exists(PATH) and os.remove(PATH)
    os.path.isdir(os.path.dirname(PATH)) and os.rmdir(os.path.dirname(PATH))


def test_one_row():
    DB.execute("INSERT INTO seen VALUES (1)")
    DB.commit()
    assert DB.execute("SELECT count(*) FROM seen").fetchone() == (1,)


def test_table():
    assert DB.execute("SELECT count(*) FROM seen").fetchone() is not None
