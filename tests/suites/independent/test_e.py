import noise


def test_third():
    noise.heard.append("e")
