"""order-v1 a second time, from docs/order-v1.md alone: what flakehunt's orders are held against.

Reads lines of JSON, {"seed": N, "level": LEVEL, "tests": [{"id", "n", "file", "class"}, ...]}, and answers each with
the positions of the tests in their order. Standard library only.
"""

import hashlib
import json
import struct
import sys


def quarter(x, a, b, c, d):
    for p, q, r, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[p] = (x[p] + x[q]) & 0xFFFFFFFF
        x[r] ^= x[p]
        x[r] = (x[r] << bits | x[r] >> (32 - bits)) & 0xFFFFFFFF


def chacha8(key, counter, nonce):
    """One block: 64-bit counter, 64-bit nonce, as D. J. Bernstein laid them out."""
    start = struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<Q", counter) + nonce)
    x = list(start)
    for _ in range(4):
        for column in range(4):
            quarter(x, column, column + 4, column + 8, column + 12)
        for i in range(4):
            quarter(x, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, start)))


def order(seed, level, tests):
    key = hashlib.sha256(f"flakehunt order-v1 {level} {seed}".encode()).digest()

    def rank(*parts):
        name = "\0".join(parts).encode()
        return struct.unpack("<Q", chacha8(key, 0, hashlib.sha256(name).digest()[:8])[:8]), name

    def sort_key(position):
        t = tests[position]
        module, klass = rank("file", t["file"]), rank("class", t["file"], t["class"])
        test = rank("test", t["id"], str(t["n"]))
        unit = klass if t["class"] else test
        return {"test": (test,), "class": (klass, test), "module": (module, unit, test)}[level]

    return sorted(range(len(tests)), key=sort_key)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(order(**json.loads(line))), flush=True)
