"""What a customer is about to buy."""

from . import money


class Cart:
    def __init__(self):
        self.lines = []

    def add(self, name: str, cents: int, pieces: int = 1) -> None:
        if pieces < 1:
            raise ValueError("at least one piece")
        self.lines.append((name, cents, pieces))

    def remove(self, name: str) -> None:
        self.lines = [line for line in self.lines if line[0] != name]

    def total(self) -> int:
        return sum(cents * pieces for _, cents, pieces in self.lines)

    def receipt(self) -> str:
        rows = [f"{pieces} x {name}: {money.shown(cents * pieces)}" for name, cents, pieces in self.lines]
        return "\n".join([*rows, f"total: {money.shown(self.total())}"])
