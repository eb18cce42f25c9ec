"""Amounts in cents, and how they are shown."""

from .settings import settings


def shown(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{settings.symbol}{abs(cents) // 100}.{abs(cents) % 100:02}"


def with_tax(cents: int) -> int:
    return cents + (cents * settings.tax_percent + 50) // 100


def split(cents: int, parts: int) -> list:
    """Equal parts that add up: the first ones get the odd cents."""
    share, odd = divmod(cents, parts)
    return [share + (1 if part < odd else 0) for part in range(parts)]
