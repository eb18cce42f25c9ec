import sys

sys.path.insert(0, __file__.rpartition("/checks/")[0])

import colors


def test_used(color):
    if color == "red":
        colors.used.add(color)


def test_loud():
    print("x" * 500_000)
    sys.stderr.write("\x1b[31mred\x00\n")
