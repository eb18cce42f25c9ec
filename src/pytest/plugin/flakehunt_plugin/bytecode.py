"""Keeps bytecode out of the project.

Compiled files of the project go to a cache of ours. Those of the standard library and of installed packages stay
where they are: a prefix for everything (PYTHONPYCACHEPREFIX) would have every heavy library compiled again. The
environment is left alone, so programs that a test starts behave as they always did.
"""

import importlib._bootstrap_external as bootstrap
import os
import sys
import sysconfig


def redirect(prefix):
    """Sends the bytecode of the project to `prefix`; where that cannot be done none is written."""
    if sys.pycache_prefix is not None:
        return  # somebody keeps it elsewhere already
    installed = tuple({_folder(path) for path in _library_paths()})

    def foreign(path):
        return path.startswith(installed) or "site-packages" in path or "dist-packages" in path

    try:
        from _pytest.assertion import rewrite

        _wrap(bootstrap, "cache_from_source", prefix, foreign)
        _wrap(rewrite, "get_cache_dir", prefix, foreign)
    except (ImportError, AttributeError):
        sys.dont_write_bytecode = True
    else:
        sys.dont_write_bytecode = False


def _library_paths():
    paths = sysconfig.get_paths()
    return [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib") if paths.get(name)]


def _folder(path):
    return os.path.join(path, "")


def _wrap(module, name, prefix, foreign):
    original = getattr(module, name)

    def redirected(path, *args, **kwargs):
        if foreign(str(path)) or sys.pycache_prefix is not None:
            return original(path, *args, **kwargs)
        sys.pycache_prefix = prefix
        try:
            return original(path, *args, **kwargs)
        finally:
            sys.pycache_prefix = None

    setattr(module, name, redirected)
