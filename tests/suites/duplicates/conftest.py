import pytest

done = []


class Line(pytest.Item):
    def __init__(self, *, word, **rest):
        super().__init__(**rest)
        self.word = word

    def runtest(self):
        done.append(self.word)
        if self.word == "need-clean":
            assert "spoil" not in done

    def reportinfo(self):
        return self.path, 0, self.word


class Lines(pytest.File):
    def collect(self):
        for word in self.path.read_text().split():
            yield Line.from_parent(self, name="line", word=word)


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".spec":
        return Lines.from_parent(parent, path=file_path)
