"""A worker that is started at import: a forked child has no such thread, and its answers never come."""

import queue
import threading

ASKED, ANSWERED = queue.Queue(), queue.Queue()


def work():
    while True:
        ANSWERED.put(ASKED.get() + 1)


threading.Thread(target=work, name="worker", daemon=True).start()


def test_answer():
    ASKED.put(1)
    assert ANSWERED.get(timeout=10) == 2


def test_another_answer():
    ASKED.put(2)
    assert ANSWERED.get(timeout=10) == 3
