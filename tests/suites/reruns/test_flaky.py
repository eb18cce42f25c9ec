from counted import count


def test_first():
    assert True


def test_second_time():
    if count("second") < 1:
        raise ConnectionError("refused by 10.0.0.1")


def test_third_time():
    assert count("third") >= 2, "too early"


def test_last():
    assert True
