"""Collects fewer files than the suite has: is it a file's import that does it?"""

import os

import pytest

from .bound import read_json

OLD = int(pytest.__version__.split(".", 1)[0]) < 7


def _left_out(root, suite_path, only):
    """The files of the suite that are not to be collected, as real paths."""
    known = {test["file"] for test in read_json(suite_path)["tests"]}
    return {os.path.realpath(os.path.join(root, name)) for name in known - set(only)}


def plugin(root, suite_path, only):
    """A plugin that keeps pytest from collecting the other files of the suite. What a person names on the command
    line is not asked about: there the driver leaves them out."""
    left_out = _left_out(root, suite_path, only)

    class New:
        @pytest.hookimpl(tryfirst=True)
        def pytest_ignore_collect(self, collection_path):
            return True if os.path.realpath(str(collection_path)) in left_out else None

    class Old:
        @pytest.hookimpl(tryfirst=True)
        def pytest_ignore_collect(self, path):
            return True if os.path.realpath(str(path)) in left_out else None

    return Old() if OLD else New()
