"""State of modules and classes, fixtures of every scope, temporary folders."""

import os
from typing import ClassVar

import pytest
from helpers import STATE, doubled

SEEN = []


def setup_module(module):
    SEEN.append("setup")


def teardown_module(module):
    SEEN.append("teardown")
    print("zoo:", SEEN)


def test_module_is_set_up():
    assert SEEN[-1] == "setup" and SEEN.count("setup") == SEEN.count("teardown") + 1


def test_counts_its_calls():
    doubled(1)
    assert STATE["calls"] < 3


def test_tmp_path(tmp_path):
    assert list(tmp_path.iterdir()) == []
    print("zoo:", tmp_path.name)
    (tmp_path / "a").write_text("1")


def test_tmpdir(tmpdir):
    tmpdir.join("a").write("1")


def test_tmp_path_fails(tmp_path):
    assert not tmp_path.exists(), tmp_path


def test_folder_of_the_session(folder_of_the_session):
    assert [path.name for path in folder_of_the_session.iterdir()] == ["made"]


def test_leaves_a_file_in_the_folder(folder_of_the_session):
    (folder_of_the_session / "left").write_text("1")


def test_takes_the_folder_away(folder_of_the_session):
    # Without a frame of pathlib, whose lines break where paths are long.
    os.remove(folder_of_the_session / "made")


def test_scopes(in_module):
    assert (in_module["session"], in_module["module"]) == (1, 1)


def test_parameter_of_session(of_session):
    assert of_session in "pq"


def test_other_parameter_of_session(of_session):
    SEEN.append(of_session)


def test_parameter_of_module(of_module):
    assert of_module != 2


def test_parameters_of_both(of_session, of_module):
    print("zoo:", of_session, of_module)


@pytest.fixture
def dynamic(request):
    return request.getfixturevalue("of_module_by_name")


@pytest.fixture(scope="module")
def of_module_by_name():
    yield SEEN
    SEEN.append("by name")


def test_fixture_by_name(dynamic, request):
    assert dynamic is SEEN
    request.addfinalizer(lambda: print("zoo: finalizer"))


class TestState:
    shared: ClassVar[list] = []

    @classmethod
    def setup_class(cls):
        cls.made = len(cls.shared)

    @classmethod
    def teardown_class(cls):
        cls.shared.clear()

    def setup_method(self, method):
        self.own = 0

    def test_adds(self):
        self.shared.append(1)

    def test_is_empty(self):
        assert self.shared == [] and self.made == 0

    def test_has_its_own(self, in_class):
        self.own += 1
        assert self.own == 1 and in_class["class"] == 1

    class TestInner:
        def test_inner(self, in_class):
            assert in_class["class"] == 1


class TestLeavesBadly:
    @classmethod
    def teardown_class(cls):
        raise RuntimeError("in teardown_class")

    def test_first(self):
        pass

    def test_second(self):
        pass


def test_configuration(pytestconfig, record_property, record_testsuite_property):
    record_property("key", "value")
    record_testsuite_property("of_all", 1)
    assert pytestconfig.getini("log_level") == "INFO"


def test_cache_is_there(cache):
    assert cache.get("zoo/nothing", None) is None


def test_pytest_in_pytest(pytester, capsys):
    pytester.makepyfile("def test_a(): pass\ndef test_b(): assert 0\n")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    capsys.readouterr()  # it says how long it took
