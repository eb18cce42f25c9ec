import noise


def test_second():
    noise.heard.append("b")
