"""A folder that is made at import and removed at exit: the first forked child removes it for all."""

import atexit
import os
import shutil
import uuid

FOLDER = os.path.join(os.path.dirname(os.environ["TMPDIR"]), uuid.uuid4().hex)
os.mkdir(FOLDER)
atexit.register(shutil.rmtree, FOLDER, True)
