import os

import pytest


@pytest.mark.parametrize("text", ["$HOME `id` \"&<b>'", "::", "%s {} \\"])
def test_victim(text):
    if text.startswith("$"):
        assert "ODD" not in os.environ
