"""The goods on sale."""

import csv
import io

goods = {}


def load(text: str) -> int:
    """Reads `name,cents` lines; gives how many goods there are now."""
    for name, cents in csv.reader(io.StringIO(text)):
        goods[name] = int(cents)
    return len(goods)


def search(word: str) -> list:
    return sorted(name for name in goods if word in name)
