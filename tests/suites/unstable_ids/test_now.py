import os
import time

import pytest

NOW = time.time_ns()


@pytest.mark.parametrize("moment", [NOW, NOW + 1], ids=str)
def test_polluter(moment):
    if moment == NOW + 1:
        os.environ["MOMENT"] = "1"


def test_plain():
    assert True


@pytest.mark.parametrize("moment", [NOW, NOW + 1], ids=str)
def test_victim(moment):
    if moment == NOW:
        assert "MOMENT" not in os.environ
