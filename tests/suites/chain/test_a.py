import service


def test_other():
    assert service.state


def test_configure():
    service.state = "configured"
