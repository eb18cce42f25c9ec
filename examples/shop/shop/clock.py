"""What time it is, for tests that need it to stand still."""

from datetime import datetime, timedelta

_frozen = None


def now() -> datetime:
    return _frozen or datetime.now()


def freeze(at: datetime) -> None:
    global _frozen
    _frozen = at


def thaw() -> None:
    freeze(None)


def days_from_now(days: int) -> datetime:
    return now() + timedelta(days=days)
