"""The suite file: written after a collection, found again in a later one."""

import os

import pytest

from .bound import LIB, read_json, text, write_whole

PROTOCOL = 1


def names(items):
    """How each test is found again: its id, the how-manieth of that id, its key, the how-manieth of that key."""
    seen, keys = {}, {}
    for item in items:
        node_id = text(item.nodeid)
        occurrence = seen.get(node_id, 0)
        seen[node_id] = occurrence + 1
        key = _key(item, node_id)
        k = keys.get(key, 0)
        keys[key] = k + 1
        yield node_id, occurrence, key, k


def describe(items):
    """One record a test, in collection order."""
    homes = {}
    tests = []
    for item, (node_id, occurrence, key, k) in zip(items, names(items)):
        parent = item.parent
        home = homes.get(parent)
        if home is None:
            home = homes[parent] = (_file(item), _chain(parent))
        # A decorated function may be defined elsewhere: that line is none of this file's.
        defined, line, _ = item.location
        file, chain = home
        tests.append(
            {
                "id": node_id,
                "n": occurrence,
                "file": file,
                "class": chain,
                "line": None if line is None or text(defined).replace("\\", "/") != file else line + 1,
                "key": key,
                "k": k,
            }
        )
    return tests


def _file(item):
    """The file an item was collected from, relative to the root directory."""
    path = str(getattr(item, "path", None) or item.fspath)
    root = str(getattr(item.config, "rootpath", None) or item.config.rootdir)
    try:
        path = os.path.relpath(path, root)
    except ValueError:  # another drive
        pass
    return text(path).replace("\\", "/")


def _chain(node):
    names = []
    while node is not None:
        if isinstance(node, pytest.Class):
            names.append(node.name)
        node = node.parent
    return text(".".join(reversed(names)))


def _key(item, node_id):
    # The id without parameters. Only a test that has some is cut: a name may hold brackets of its own.
    if getattr(item, "callspec", None) is None:
        return node_id
    plain = getattr(item, "originalname", None)
    name = text(item.name)
    if plain and node_id.endswith(name):
        return node_id[: len(node_id) - len(name)] + text(plain)
    return node_id.partition("[")[0]


def write(path, items):
    """Writes the suite file."""
    write_whole(path, LIB.encode({"protocol": PROTOCOL, "tests": describe(items)}))


class Match:
    """Which collected item is which test of the suite."""

    def __init__(self, suite_path, items):
        tests = read_json(suite_path)["tests"]
        collected = list(names(items))
        by_id = {name[:2]: i for i, name in enumerate(collected)}
        by_key = {name[2:]: i for i, name in enumerate(collected)}
        self.items = [None] * len(tests)
        self.unstable = []
        taken = set()
        lost = []
        for number, test in enumerate(tests):
            found = by_id.get((test["id"], test["n"]))
            if found is None:
                lost.append(number)
            else:
                taken.add(found)
                self.items[number] = items[found]
        for number in lost:
            found = by_key.get((tests[number]["key"], tests[number]["k"]))
            if found is not None and found not in taken:
                taken.add(found)
                self.items[number] = items[found]
                self.unstable.append(number)
        self.missing = [number for number, item in enumerate(self.items) if item is None]
        self.extra = [name[0] for i, name in enumerate(collected) if i not in taken]


def same(items):
    """The match of a collection with the suite file that was written from it."""
    match = Match.__new__(Match)
    match.items, match.unstable, match.missing, match.extra = list(items), [], [], []
    return match
