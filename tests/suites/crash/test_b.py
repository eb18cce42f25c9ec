import os

import process


def test_abort():
    if "corrupt" in process.state:
        os.abort()
