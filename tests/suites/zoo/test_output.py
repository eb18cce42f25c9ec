"""What is printed, logged and captured."""

import io
import logging
import os
import subprocess
import sys

import pytest

HANDLER = logging.StreamHandler()
STDOUT, STDERR = sys.stdout, sys.stderr
LOGGER = logging.getLogger("zoo.own")


def test_prints():
    print("out")
    sys.stderr.write("err\n")
    os.write(1, b"raw out\n")
    os.write(2, b"raw err\n")
    subprocess.check_call(["sh", "-c", "echo from a shell"])


def test_prints_without_a_line_end():
    sys.stdout.write("no end")
    STDOUT.write("kept at import\n")


def test_prints_and_fails():
    print("before")
    logging.getLogger("zoo").warning("logged")
    assert {"a": 1, "b": [1, 2]} == {"a": 2, "b": [1, 3]}


def test_flood():
    for line in range(300):
        print("line", line)
    assert False


def test_capsys(capsys):
    print("hello")
    sys.stderr.write("you\n")
    assert tuple(capsys.readouterr()) == ("hello\n", "you\n")
    with capsys.disabled():
        sys.stdout.write("")
    print("left over")


def test_capsysbinary(capsysbinary):
    sys.stdout.buffer.write(b"\xff")
    assert capsysbinary.readouterr().out == b"\xff"


def test_capfd(capfd):
    os.system("echo hi")
    os.write(2, b"err")
    out = capfd.readouterr()
    assert (out.out, out.err) == ("hi\n", "err")


def test_capfd_fails(capfd):
    os.write(1, b"seen in the report\n")
    assert 0


def test_caplog(caplog):
    logging.getLogger("zoo").info("boo")
    logging.getLogger("zoo").debug("not heard")
    assert caplog.messages == ["boo"]


def test_caplog_with_a_level(caplog):
    with caplog.at_level(logging.DEBUG, logger="zoo.deep"):
        logging.getLogger("zoo.deep").debug("heard")
    caplog.set_level(logging.ERROR)
    assert caplog.record_tuples == [("zoo.deep", logging.DEBUG, "heard")]


def test_caplog_over_phases(caplog, logs_in_setup):
    assert [record.message for record in caplog.get_records("setup")] == ["in setup"]


@pytest.fixture
def logs_in_setup():
    logging.getLogger("zoo").info("in setup")
    yield
    logging.getLogger("zoo").info("in teardown")
    print("printed in teardown")


def test_silences_logging():
    logging.disable(logging.CRITICAL)


def test_allows_logging():
    logging.disable(logging.NOTSET)


def test_adds_a_handler():
    LOGGER.addHandler(HANDLER)


def test_uses_its_handler():
    LOGGER.warning("through %d handlers", len(LOGGER.handlers))


def test_removes_its_handler():
    LOGGER.removeHandler(HANDLER)


def test_replaces_stdout(monkeypatch):
    buffer = io.StringIO()
    monkeypatch.setattr(sys, "stdout", buffer)
    print("caught")
    assert buffer.getvalue() == "caught\n"


def test_leaves_stdout_replaced():
    sys.stdout = io.StringIO()


def test_standard_error_is_no_terminal():
    assert not sys.stderr.isatty() and not os.isatty(2)


def test_says_odd_things():
    print("\x1b[31mred\x1b[0m \u00e9 \u2028")
    odd = "\x00\x01"
    assert odd == "\ud800"


def test_duplicates_a_descriptor(tmp_path):
    kept = os.dup(1)
    with open(tmp_path / "to", "wb") as file:
        os.dup2(file.fileno(), 1)
        os.write(1, b"to the file")
        os.dup2(kept, 1)
    os.close(kept)
    assert (tmp_path / "to").read_bytes() == b"to the file"
    os.write(1, b"captured again\n")
