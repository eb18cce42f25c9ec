import os

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


class TestOuter:
    class TestInner:
        @pytest.fixture(autouse=True, scope="class")
        def elsewhere(self, tmp_path_factory):
            yield
            os.chdir(tmp_path_factory.mktemp("elsewhere"))

        def test_moves(self):
            assert os.getcwd()

    def test_returns(self):
        os.chdir(HERE)
