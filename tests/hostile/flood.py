"""Prints as many bytes as it is told, between a first and a last line."""

import os
import sys


def write(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


size = int(sys.argv[1])
line = b"x" * 1023 + b"\n"
write(b"the first line\n")
block = line * 64
for _ in range(size // len(block)):
    write(block)
write(b"the last line\n")
