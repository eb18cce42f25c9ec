import noise


def test_first():
    noise.heard.append("a")
