import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import Project  # noqa: E402 - the folder is no package


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)
