"""A path in the temporary folder of import time: forked children leave their files to one another.

The second test always fails in them; in processes of their own only after the first.
"""

import os
import tempfile

FOLDER = os.path.join(tempfile.gettempdir(), "made-once")


def test_makes():
    os.makedirs(FOLDER, exist_ok=True)


def test_finds_nothing():
    assert not os.path.exists(FOLDER)
