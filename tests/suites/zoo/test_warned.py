"""Warnings, errors that nobody can raise, and what turns them into failures."""

import gc
import warnings

import pytest


class Falls:
    """Raises where nobody can catch it."""

    def __del__(self):
        raise ValueError("unraisable")


class Circle(Falls):
    """The same, when the garbage collector gets to it."""

    def __init__(self):
        self.me = self


def old():
    warnings.warn("old", DeprecationWarning, stacklevel=2)


def test_warns():
    warnings.warn("heard")
    old()


def test_warns_twice():
    for _ in range(2):
        warnings.warn("heard once or twice")


def test_ignored():
    warnings.warn("not to be heard of")


def test_error_by_configuration():
    warnings.warn("an error by the configuration")


@pytest.mark.filterwarnings("error")
def test_error_by_mark():
    old()


@pytest.mark.filterwarnings("ignore")
def test_ignored_by_mark():
    warnings.warn("an error by the configuration")


def test_filters_for_good():
    warnings.simplefilter("error")


def test_is_not_filtered():
    warnings.warn("no error")


def test_recwarn(recwarn):
    old()
    assert len(recwarn) == 1 and recwarn.pop(DeprecationWarning).message.args == ("old",)


def test_warns_as_it_should():
    with pytest.warns(UserWarning, match="should"):
        warnings.warn("as it should")


def test_does_not_warn():
    with pytest.warns(UserWarning):
        pass


def test_deprecated_call():
    with pytest.deprecated_call():
        old()


def test_unraisable():
    Falls()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_unraisable_ignored():
    Falls()


def test_unraisable_in_a_circle():
    Circle()
    gc.collect()


@pytest.fixture
def falls_in_teardown():
    yield
    Falls()


def test_unraisable_in_teardown(falls_in_teardown):
    pass


@pytest.fixture
def warns_in_setup():
    warnings.warn("an error by the configuration")


def test_warning_in_setup(warns_in_setup):
    pass


def test_leaves_a_file_open(tmp_path):
    open(tmp_path / "open", "w")  # noqa: SIM115


def test_forgets_to_await():
    async def never():
        pass

    never()
