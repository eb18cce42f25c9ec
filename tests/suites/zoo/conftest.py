"""Fixtures of every scope, and what a project does at the beginning and the end of a session."""

import atexit
import logging
import os
import sys

import pytest

pytest_plugins = ["pytester"]

logging.basicConfig(level=logging.INFO)  # its handler holds the standard error of this moment
ALIVE = {"session": 0, "package": 0, "module": 0, "class": 0}
STARTED = []


@atexit.register
def _said_at_exit():
    print("zoo: at exit", ALIVE, flush=True)


def pytest_sessionstart(session):
    STARTED.append(os.getcwd())


def pytest_sessionfinish(session, exitstatus):
    print(
        "zoo: finished with", session.testsfailed, "of", session.testscollected, int(exitstatus), flush=True
    )


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"zoo: summary after {len(STARTED)} start")


def pytest_unconfigure():
    sys.stderr.write("zoo: unconfigured\n")


@pytest.fixture(scope="session", autouse=True)
def folder_of_the_session(tmp_path_factory):
    ALIVE["session"] += 1
    path = tmp_path_factory.mktemp("session")
    (path / "made").write_text("here")
    yield path
    assert (path / "made").read_text() == "here"
    ALIVE["session"] -= 1


@pytest.fixture(scope="package")
def in_package():
    ALIVE["package"] += 1
    yield dict(ALIVE)
    ALIVE["package"] -= 1


@pytest.fixture(scope="module")
def in_module():
    ALIVE["module"] += 1
    yield dict(ALIVE)
    ALIVE["module"] -= 1


@pytest.fixture(scope="class")
def in_class():
    ALIVE["class"] += 1
    yield dict(ALIVE)
    ALIVE["class"] -= 1


@pytest.fixture(scope="session", params=["p", "q"])
def of_session(request):
    print("zoo: session parameter", request.param)
    yield request.param
    print("zoo: end of session parameter", request.param)


@pytest.fixture(scope="module", params=[1, 2])
def of_module(request):
    print("zoo: module parameter", request.param)
    yield request.param


@pytest.fixture
def leaves_badly():
    yield
    raise OSError("in teardown")


@pytest.fixture
def comes_badly():
    print("zoo: before the error")
    raise RuntimeError("in setup")


@pytest.fixture(scope="module")
def module_leaves_badly():
    yield 1
    raise OSError("in the teardown of a module")
