"""Another file of the package."""


def test_package(in_package):
    assert in_package["package"] == 1


def test_no_hook_elsewhere(request):
    assert request.node.in_nested
