import functools
import json

json.dumps = functools.partial(json.dumps, indent=2)


def test_indent():
    assert json.dumps([]) == "[]"
