import os


class TestAfter:
    def test_directory(self):
        assert os.path.exists("test_after.py")

    def test_other(self):
        assert True
