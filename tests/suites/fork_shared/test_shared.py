"""Memory that is shared with forked children: what one of them writes, all later ones find."""

import mmap

MEMORY = mmap.mmap(-1, 4096)


def test_writes():
    assert len(MEMORY) == 4096
    if MEMORY[0] == 0:
        MEMORY[0] = 1


def test_is_written_once():
    MEMORY[1] += 1
    assert MEMORY[1] == 1
