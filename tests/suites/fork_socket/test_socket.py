"""A pair of sockets that is connected at import: forked children would read one another's messages."""

import socket

HERE, THERE = socket.socketpair()
THERE.settimeout(10)


def test_message():
    HERE.send(b"hello")
    assert THERE.recv(100) == b"hello"


def test_another_message():
    HERE.send(b"again")
    assert THERE.recv(100) == b"again"
