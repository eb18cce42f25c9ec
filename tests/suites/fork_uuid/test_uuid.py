"""A name that is drawn at import: no two processes have the same one, all forked children of a server have."""

import os
import tempfile
import uuid

FOLDER = os.path.join(os.environ.get("FLAKEHUNT_TEST_FOLDER") or tempfile.gettempdir(), uuid.uuid4().hex)


def test_makes_its_folder():
    os.mkdir(FOLDER)
