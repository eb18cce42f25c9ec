"""A lock of processes that is made at import: forked children would wait for one another."""

import multiprocessing

LOCK = multiprocessing.get_context("fork").Lock()


def test_takes_the_lock_and_keeps_it():
    assert LOCK.acquire(timeout=10)
