import os

import pytest


@pytest.mark.parametrize(
    "text", ["a::b c", "-x", "@file", "l1\nl2", "]][[", "../x", "\u00e9\u4e2d", "\u202e"]
)
def test_polluter(text):
    if text == "a::b c":
        os.environ["ODD"] = "1"
