"""What the shop is set to. One object for the whole process, as in many a real shop."""

from dataclasses import dataclass


@dataclass
class Settings:
    currency: str = "EUR"
    symbol: str = "€"
    tax_percent: int = 19


settings = Settings()


def use_dollars() -> None:
    settings.currency, settings.symbol = "USD", "$"


def reset() -> None:
    settings.__init__()
