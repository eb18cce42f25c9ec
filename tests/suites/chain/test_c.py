import service


def test_running():
    assert service.state == "running"
