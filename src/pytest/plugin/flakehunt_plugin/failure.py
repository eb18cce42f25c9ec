"""What a report says, cut to what the driver keeps."""

from contextlib import suppress
from os.path import dirname, join

from .bound import text

# The plugin lies within the project, in the session.
_OWN = join(dirname(__file__), "")

MESSAGE_LENGTH = 2 * 1024
TEXT_LENGTH = 64 * 1024


def clip(value, limit):
    """The first `limit` characters as valid Unicode; how many were cut is said at the end."""
    value = text(value)
    if len(value) <= limit:
        return value
    return f"{value[:limit]}\n... {len(value) - limit} characters more"


class Raised:
    """The exception behind the report that is made next."""

    def __init__(self, excinfo, directories):
        self.type = excinfo.type.__name__
        self.place = _place(excinfo, directories)


def _place(excinfo, directories):
    """The innermost line of the project: the test's or that of a helper, not a library's."""
    found = None
    traceback = excinfo.tb
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        foreign = name.startswith(_OWN) or "site-packages" in name or "dist-packages" in name
        if name.startswith(directories) and not foreign:
            found = _at(name, traceback.tb_lineno, directories)
        traceback = traceback.tb_next
    return found


def _at(path, line, directories):
    path = str(path)
    for directory in directories:
        if path.startswith(directory):
            path = path[len(directory) :]
            break
    path = text(path).replace("\\", "/")
    return f"{path}:{line}"


def fields(report, raised, sections, directories):
    """The fields of a phase record that is not a plain pass."""
    out = {}
    if hasattr(report, "wasxfail"):
        out["xfail"] = True
        reason = text(report.wasxfail)
        if reason:
            out["reason"] = clip(reason[8:] if reason.startswith("reason: ") else reason, MESSAGE_LENGTH)
    longrepr = report.longrepr
    if report.outcome == "skipped" and isinstance(longrepr, tuple) and len(longrepr) == 3:
        out["message"] = clip(longrepr[2], MESSAGE_LENGTH)
        out["place"] = _at(longrepr[0], longrepr[1], directories)
    elif longrepr is not None:
        _failure(out, report, longrepr, directories)
    if raised is not None:
        out["type"] = text(raised.type)
        if raised.place:
            out["place"] = raised.place
    if hasattr(report, "context"):
        out["subtest"] = True
    if sections:
        out["sections"] = [[text(name), clip(body, TEXT_LENGTH)] for name, body in report.sections]
    return out


def _failure(out, report, longrepr, directories):
    long_text = long_form(report)
    crash = getattr(longrepr, "reprcrash", None)
    if crash is not None:
        out["message"] = clip(crash.message, MESSAGE_LENGTH)
        out["place"] = _at(crash.path, crash.lineno, directories)
    elif isinstance(longrepr, str):
        out["message"] = clip(longrepr, MESSAGE_LENGTH)
    elif hasattr(longrepr, "errorstring"):  # a fixture that is not found
        out["message"] = clip(longrepr.errorstring, MESSAGE_LENGTH)
        out["place"] = _at(longrepr.filename, longrepr.firstlineno + 1, directories)
    else:
        out["message"] = clip(tail(long_text), MESSAGE_LENGTH)
    if report.outcome == "failed":
        out["text"] = clip(long_text, TEXT_LENGTH)


def ending(error):
    """The exception that ends a session."""
    message = ""
    with suppress(Exception):
        message = str(error)
    return {"type": text(type(error).__name__), "message": clip(message, MESSAGE_LENGTH)}


def long_form(report):
    """The long representation; one of the project's own making may raise."""
    long_text = "<no representation>"
    with suppress(Exception):
        long_text = report.longreprtext
    return long_text


def tail(long_text, lines=12):
    """The last lines: in pytest's representations the reason stands at the end."""
    kept = [line for line in long_text.splitlines() if line.strip()]
    return "\n".join(kept[-lines:])
