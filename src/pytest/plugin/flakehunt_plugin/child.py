"""What makes a forked child as good as a fresh process."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from . import artefacts, seeds
from .bound import LIB
from .gate import descriptors
from .terminal import mute


class Parcel:
    """All that a child needs, looked up once in the parent."""

    def __init__(self, plugin, session, lean):
        self.plugin = plugin
        self.session = session
        self.config = session.config
        self.lean = lean
        self.default_tempdir = _default_tempdir()
        self.capture_files = capture_files(self.config)
        self.outputs = _outputs(set(self.capture_files))
        self.junit = artefacts.junit_log(self.config)
        artefacts.rehearse()

    def unpack(self, run):
        """Called in the child, before any test."""
        self.plugin.stream.move(run["stream"])
        self.plugin.exit.arm(self.session)
        self._temporary(run)
        self._output(run)
        if self.lean is not None and run.get("lean") and not run.get("sections"):
            self.lean.switch_on(self.session, self.junit)
            self._xmlpath(None)
        elif self.junit is not None:
            self._junit(run.get("junit"))
        seeds.forget_parent()
        seeds.seed_plugins(self.config, run.get("random_seed"))
        if run.get("basetemp"):
            seeds.keep_examples(run["basetemp"] + "-hypothesis")

    def _xmlpath(self, path):
        if "xmlpath" in self.config.option.__dict__:
            self.config.option.xmlpath = path

    def _junit(self, path):
        self._xmlpath(path)
        if path is None:
            mute(self.config, self.junit)
        else:
            self.junit.logfile = os.path.abspath(path)
            self.junit.pytest_sessionstart()

    def _temporary(self, run):
        if run.get("tmpdir"):
            os.environ["TMPDIR"] = run["tmpdir"]
            if self.default_tempdir and tempfile.tempdir is not None:
                # What it would find out by writing a file and removing it: a test may be counting removals.
                tempfile.tempdir = os.path.abspath(run["tmpdir"])
        if run.get("basetemp"):
            own_basetemp(self.config, run["basetemp"])

    def _output(self, run):
        if run.get("log"):
            log = LIB.open(run["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            for fd in self.outputs:
                os.dup2(log, fd, inheritable=fd in (1, 2))
            LIB.close(log)
        own_capture(self.capture_files)


def own_basetemp(config, path):
    """The folder of `tmp_path` is this one from now on."""
    factory = getattr(config, "_tmp_path_factory", None)
    if factory is None:
        return
    config.option.basetemp = path
    factory._given_basetemp = Path(os.path.abspath(path))
    factory._basetemp = None
    if isinstance(getattr(factory, "_next_number", None), dict):
        factory._next_number.clear()


def own_capture(files):
    """Exchanges the files behind the capture: each would be one open file, with one position, for a process and all its
    copies. The capture's own objects stay, since a logging handler made at import may hold one."""
    for fd in files:
        file = _nameless_file()
        os.dup2(file, fd, inheritable=False)
        LIB.close(file)


def _nameless_file():
    """A file that goes with its last descriptor; in memory where the system can: making one on disk is slow."""
    if hasattr(os, "memfd_create"):
        with suppress(OSError):
            return os.memfd_create("captured")
    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


def _default_tempdir():
    """Whether `tempfile` uses what the environment says, not what the project has set."""
    was, tempfile.tempdir = tempfile.tempdir, None
    found = tempfile.gettempdir()
    tempfile.tempdir = was
    return was is None or was == found


def capture_files(config):
    """The descriptors of the files in which pytest gathers what tests print."""
    manager = config.pluginmanager.get_plugin("capturemanager")
    capturing = getattr(manager, "_global_capturing", None)
    out = []
    for name in ("out", "err"):
        file = getattr(getattr(capturing, name, None), "tmpfile", None)
        try:
            out.append(file.fileno())
        except (AttributeError, OSError, ValueError):  # captured in memory, or not at all
            continue
    return out


def _outputs(not_these):
    """The descriptors of the server's standard output and error, and copies of them (capture, faulthandler)."""
    everything = descriptors()
    wanted = {everything[fd][1] for fd in (1, 2) if fd in everything}
    found = {1, 2}
    for fd, (mode, identity) in everything.items():
        if identity in wanted and fd not in not_these and not stat.S_ISDIR(mode) and _writable(fd):
            found.add(fd)
    return sorted(found)


def _writable(fd):
    try:
        import fcntl
    except ImportError:
        return fd in (1, 2)
    return fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
