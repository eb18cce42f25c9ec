"""Where a run may write: its own folders, never the project."""

import inspect
import os
import re
import sys
import types
from collections import abc
from contextlib import suppress

# Reports that a project asks for in `addopts`; each would be written once a run, to the same place.
REPORTS = (
    ("log_file", None),
    ("pastebin", None),
    ("report_log", None),
    ("htmlpath", None),
    ("json_report", False),
    ("ctrf", None),
    ("md_report", False),
    ("benchmark_autosave", False),
    ("benchmark_save", None),
    ("benchmark_json", None),
    ("allure_report_dir", None),
    ("debug", None),
)


def before_configure(config, run):
    """Points pytest's own artefacts to the run's paths and switches other reports off."""
    changed = []
    options = config.option.__dict__
    for name, value in REPORTS:
        if options.get(name):
            options[name] = value
            changed.append((name, f"{name}={value!r}"))
    if "xmlpath" in options:
        options["xmlpath"] = run.get("junit")
    if run.get("basetemp"):
        options["basetemp"] = run["basetemp"]
    if _ini(config, "log_file"):
        options["log_file"] = os.devnull
        changed.append(("logging-plugin", "log_file"))
    return changed


def after_configure(config, run):
    """Sees to it that there is a JUnit log, and that the cache of failed tests costs nothing."""
    for name in ("lfplugin", "nfplugin", "stepwiseplugin"):
        plugin = config.pluginmanager.get_plugin(name)
        if plugin is not None:
            config.pluginmanager.unregister(plugin)
    if not run.get("junit"):
        return
    log = junit_log(config)
    if log is None:  # `-p no:junitxml`
        log = _own_log(run["junit"])
        if log is None:
            return
        config.pluginmanager.register(log, "flakehunt_junit")
        log.pytest_sessionstart()
    log.logging = "no"  # captured output is in the run's log; here it could be many megabytes


def junit_log(config):
    """pytest's JUnit writer, where it is loaded."""
    try:
        from _pytest.junitxml import LogXML
    except ImportError:
        return None
    for plugin in config.pluginmanager.get_plugins():
        if isinstance(plugin, LogXML):
            return plugin
    return None


def rehearse():
    """Has the server do once what every child would do again: compile expressions, look up where modules come from."""
    with suppress(ImportError, AttributeError, TypeError, ValueError):
        from _pytest.junitxml import bin_xml_escape, mangle_test_address

        bin_xml_escape("")
        mangle_test_address("test_a.py::test_a")
    re.sub(r"[\W]", "_", "")  # the folder of tmp_path
    for kind in (abc.Iterable, abc.Mapping, abc.Sequence, abc.Set):
        for value in (None, 0, 0.0, "", b""):
            isinstance(value, kind)  # the first answer takes long, and a failed comparison asks for it
    with suppress(OSError, TypeError, SyntaxError):
        inspect.getsource(rehearse)  # what a traceback shows is found by expressions that are slow to compile
    with suppress(AttributeError):
        _find_modules()


def _find_modules():
    # The first traceback of a process has `inspect` ask for the real path of every loaded module, 10 ms in a small
    # project. A module that is loaded lazily is left alone: to ask for its `__file__` may load it.
    files, names = inspect._filesbymodname, inspect.modulesbyfile
    for name, module in list(sys.modules.items()):
        path = module.__dict__.get("__file__") if type(module) is types.ModuleType else None
        if isinstance(path, str):
            with suppress(Exception):
                absolute = inspect.getabsfile(module)
                names[absolute] = names[os.path.realpath(absolute)] = module.__name__
                files[name] = path


def _own_log(path):
    try:
        from _pytest.junitxml import LogXML

        return LogXML(path, None, family="xunit2")
    except (ImportError, TypeError):
        return None


def _ini(config, name):
    try:
        return config.getini(name)
    except (KeyError, ValueError):
        return None
