import os

import process


def test_exit():
    if "stop" in process.state:
        os._exit(0)
