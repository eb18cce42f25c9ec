import pytest

mended = []


@pytest.mark.xfail(reason="not mended yet", strict=True)
def test_strict():
    assert mended


@pytest.mark.xfail(reason="not mended yet")
def test_lax():
    assert mended


def test_skips_itself():
    if mended:
        pytest.skip("there is nothing to do")


def test_mends():
    mended.append(1)
