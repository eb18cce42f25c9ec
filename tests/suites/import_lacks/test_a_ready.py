import ready

ready.STATE["ready"] = True


def test_ready():
    assert ready.STATE["ready"]
