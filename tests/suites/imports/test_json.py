import json


def test_list():
    assert json.loads("[]") == []


def test_nan():
    assert json.dumps({"a": 1}) == '{"a": 1}'
