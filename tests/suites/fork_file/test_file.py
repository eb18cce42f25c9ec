"""A file that is opened at import: forked children would write to one file, with one position."""

import tempfile

LOG = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115


def test_first_line():
    LOG.write("one line\n")
    LOG.seek(0)
    assert len(LOG.readlines()) == 1


def test_healthy():
    assert LOG.writable()
