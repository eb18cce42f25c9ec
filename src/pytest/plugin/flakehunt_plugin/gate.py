"""Reasons against forking a collected process: what a child would share, or would not have."""

import functools
import os
import random
import stat
import sys
import tempfile
import threading

from .bound import LIB, text

# Native pools that survive a fork (they have handlers for it) and those that are known to hang in the child.
_CALM = ("numpy", "scipy", "sklearn", "threadpoolctl", "mkl")
_HANGING = ("grpc", "polars", "tensorflow", "pyarrow", "ray", "jax")
_STATE = random.getstate
_HARMLESS = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/tty", "/dev/pts/")


class Watch:
    """Remembers what was open before the project's code ran, and sees temporary folders being made."""

    def __init__(self):
        self.before = descriptors()
        self.mapped = _shared_memory()
        self.made = []
        self.drawn = False
        self.state = _STATE()
        self.originals = {}

    def begin(self):
        """pytest has its own descriptors now; the project's code comes next."""
        self.before.update(descriptors())
        self.mapped |= _shared_memory()
        self.state = _STATE()
        for name in ("mkdtemp", "mkstemp"):
            original = getattr(tempfile, name)
            self.originals[name] = original
            setattr(tempfile, name, self._watched(original))

    def _watched(self, original):
        @functools.wraps(original)
        def watched(*args, **kwargs):
            made = original(*args, **kwargs)
            self.made.append(made[1] if isinstance(made, tuple) else made)
            return made

        return watched

    def end(self):
        """The project has been collected."""
        self.drawn = _STATE() != self.state
        for name, original in self.originals.items():
            setattr(tempfile, name, original)
        self.originals = {}

    def reasons(self, session, own):
        """Sentences for the driver; none where forking is safe. `own` are our descriptors."""
        out = []
        if not hasattr(os, "fork"):
            out.append("this system cannot fork")
        out += _threads() + _children() + self._open_files(own) + self._folders()
        out += [f"memory shared while collecting: {name}" for name in sorted(_shared_memory() - self.mapped)]
        out += _libraries(session.config)
        if session.shouldstop or session.shouldfail:
            out.append("a plugin has asked the session to stop")
        return out

    def _open_files(self, own):
        known = {identity for _, identity in self.before.values()}
        out = []
        for fd, (mode, identity) in sorted(descriptors().items()):
            if fd in own or identity in known or stat.S_ISDIR(mode):
                continue
            name = _name(fd)
            if name.startswith(_HARMLESS):
                continue
            kind = "socket" if stat.S_ISSOCK(mode) else "pipe" if stat.S_ISFIFO(mode) else "file"
            out.append(f"{kind} opened while collecting: {name or fd}")
        return out

    def _folders(self):
        return [f"temporary path made while collecting: {text(p)}" for p in self.made if os.path.exists(p)]


def is_lonely(known, child):
    """Whether a process in the middle of a run may be copied: but for one child it has started nothing that still runs,
    and holds no socket beside the known ones."""
    return not _threads() and _offspring() <= {child} and sockets() <= known


def sockets():
    """The sockets that are open."""
    return {identity for mode, identity in descriptors().values() if stat.S_ISSOCK(mode)}


def descriptors():
    """Each open descriptor: its mode and which file it is."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        out = {}
        for name in names:
            try:
                found = LIB.fstat(int(name))
            except (OSError, ValueError):  # the descriptor of the listing itself
                continue
            out[int(name)] = (found.st_mode, (found.st_dev, found.st_ino))
        return out
    return {}


def _name(fd):
    try:
        return text(os.readlink(f"/proc/self/fd/{fd}"))
    except OSError:
        return ""


def _shared_memory():
    """What is mapped so that a write of one process is seen by others: no copy is made of it at a fork."""
    try:
        with LIB.builtin_open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            fields = [line.split(None, 5) for line in maps]
    except OSError:
        return set()
    return {text(field[-1].strip()) for field in fields if field[1][1] == "w" and field[1][3] == "s"}


def _children():
    """A process that the project has started is not its child's child: it cannot be waited for there."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (OSError, AttributeError):  # there is none, or no way to ask
        return []
    return ["process started while collecting"]


def _offspring():
    """The children of a process of one thread, where the system tells."""
    pid = LIB.getpid()
    try:
        with LIB.builtin_open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            return {int(child) for child in children.read().split()}
    except OSError:
        return set()


def _threads():
    others = [t for t in threading.enumerate() if t is not threading.main_thread()]
    out = [f"thread started while collecting: {text(t.name)}" for t in others]
    try:
        tasks = len(os.listdir("/proc/self/task"))
    except OSError:
        return out
    native = tasks - 1 - len(others)
    if native > 0:
        hanging = [name for name in _HANGING if name in sys.modules]
        if hanging:
            out.append(f"{native} native threads beside {', '.join(hanging)}")
        elif not any(name in sys.modules for name in _CALM):
            out.append(f"{native} native threads of unknown origin")
    return out


def _libraries(config):
    out = []
    manager, modules = config.pluginmanager, sys.modules
    monkey = modules.get("gevent.monkey")
    if monkey is not None and getattr(monkey, "saved", None):
        out.append("gevent has patched the standard library")
    asyncio = modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        out.append("an asyncio loop is running")
    if manager.hasplugin("xdist") and getattr(config.option, "dist", "no") != "no":
        out.append("pytest-xdist is active")
    if _django_database(manager, modules):
        out.append("pytest-django with a database")
    cuda = modules.get("torch.cuda")
    if cuda is not None and getattr(cuda, "is_initialized", bool)():
        out.append("CUDA is initialised")
    if sys.gettrace() is not None:
        out.append("the process is being traced")
    return out


def _django_database(manager, modules):
    conf = modules.get("django.conf")
    if conf is None or not manager.hasplugin("django") or not conf.settings.configured:
        return False
    databases = getattr(conf.settings, "DATABASES", None) or {}
    return any(
        entry.get("ENGINE") not in (None, "", "django.db.backends.dummy") for entry in databases.values()
    )
