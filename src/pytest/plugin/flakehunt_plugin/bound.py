"""What the plugin needs of the standard library, bound before any test can patch it.

The names live in the attributes of one object, not in a module: freezegun and pyfakefs walk over the globals of
every loaded module and replace the functions they know.
"""

import errno
import json
import os
import sys
import time
from types import SimpleNamespace

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LIB = SimpleNamespace(
    open=os.open,
    close=os.close,
    write=os.write,
    fstat=os.fstat,
    getpid=os.getpid,
    replace=os.replace,
    makedirs=os.makedirs,
    exit=os._exit,
    encode=json.JSONEncoder(ensure_ascii=True, check_circular=False, separators=(",", ":")).encode,
    decode=json.JSONDecoder().decode,
    perf_counter=time.perf_counter,
    monotonic=time.monotonic,
    modules=sys.modules,
    builtin_open=open,
    fcntl=fcntl.fcntl if fcntl else None,
    dupfd=getattr(fcntl, "F_DUPFD_CLOEXEC", None),
    EBADF=errno.EBADF,
)


def text(value):
    """A string that is valid Unicode: a lone surrogate becomes the text `\\udXXX`."""
    value = value if type(value) is str else str(value)
    if value.isascii():
        return value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def read_json(path):
    """The JSON value in a file."""
    with LIB.builtin_open(path, encoding="utf-8") as file:
        return LIB.decode(file.read())


def write_whole(path, content):
    """Writes a file so that a reader sees all of it or nothing."""
    draft = f"{path}.{LIB.getpid()}.tmp"
    with LIB.builtin_open(draft, "w", encoding="ascii") as file:
        file.write(content)
    LIB.replace(draft, path)


def high_fd(fd):
    """Moves a descriptor above those that programs use, and keeps it from their children."""
    if LIB.fcntl is not None and LIB.dupfd is not None:
        for floor in (400, 100):
            try:
                moved = LIB.fcntl(fd, LIB.dupfd, floor)
            except OSError:
                continue
            LIB.close(fd)
            return moved
    return fd
