import service


def test_start():
    if service.state == "configured":
        service.state = "running"
