import os
import pathlib


def count(name):
    """How often this was called before, in all processes."""
    with open(pathlib.Path(os.environ["COUNTS"]) / name, "ab", 0) as file:
        file.write(b"x")
        return file.tell() - 1
