"""A fresh copy of a test item: the same object cannot run twice in one process."""

import copy
from contextlib import suppress


def fresh(item):
    """A copy that shares no state of a run with `item`, which must not have run yet."""
    clone = copy.copy(item)
    found_again = _found_again(item)
    if found_again:
        for name in ("_obj", "_instance", "_testcase"):
            clone.__dict__.pop(name, None)
    clone.user_properties = list(item.user_properties)
    clone._report_sections = []
    if hasattr(item, "own_markers"):
        clone.own_markers = list(item.own_markers)
    if hasattr(item, "extra_keyword_matches"):
        clone.extra_keyword_matches = set(item.extra_keyword_matches)
    if hasattr(item, "keywords"):
        clone.keywords = copy.copy(item.keywords)
        for name in ("_markers", "data"):
            value = getattr(item.keywords, name, None)
            if isinstance(value, dict):
                setattr(clone.keywords, name, dict(value))
        if getattr(item.keywords, "node", None) is item:
            clone.keywords.node = clone
    for name in ("stash", "_store"):
        stash = item.__dict__.get(name)
        if stash is not None and hasattr(stash, "_storage"):
            twin = copy.copy(stash)
            twin._storage = dict(stash._storage)
            clone.__dict__[name] = twin
    if hasattr(clone, "_initrequest"):
        clone._initrequest()
    if found_again and "_obj" in item.__dict__:
        with suppress(Exception):  # a class that cannot be made again: its test will say so
            clone.obj  # noqa: B018 - an item has its function from the start; tracebacks are cut where it begins
    return clone


def _found_again(item):
    # Without its function an item looks it up in its parent. A plugin may have made one that is not there.
    holder = getattr(item.parent, "obj", None)
    name = getattr(item, "originalname", None) or item.name
    return holder is not None and hasattr(holder, name)
