"""Uses the folder of the conftest."""

import os

from conftest import FOLDER


def test_writes():
    with open(os.path.join(FOLDER, "file"), "w") as file:
        file.write("here")
