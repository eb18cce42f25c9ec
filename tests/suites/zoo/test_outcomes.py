"""Every way in which a test can end that does not end its process."""

import unittest

import pytest

MARKS = {"xfail": False}


def test_passes():
    pass


def test_fails():
    one = 1
    assert one == 2


def test_setup_fails(comes_badly):
    pass


def test_teardown_fails(leaves_badly):
    pass


def test_both_fail(leaves_badly):
    print("before both")
    assert 0


def test_module_teardown_fails(module_leaves_badly):
    assert module_leaves_badly == 1


def test_unknown_fixture(no_such_fixture):
    pass


def test_skips():
    pytest.skip("not now")


@pytest.mark.skip(reason="never")
def test_is_skipped():
    pass


@pytest.mark.skipif("MARKS['xfail']", reason="after the other one")
def test_is_skipped_at_times():
    pass


def test_turns_a_condition():
    MARKS["xfail"] = not MARKS["xfail"]


@pytest.mark.xfail("MARKS['xfail']", reason="at times", strict=True)
def test_is_expected_at_times():
    assert 0


@pytest.mark.xfail
def test_expected():
    assert 0


@pytest.mark.xfail
def test_unexpected():
    pass


@pytest.mark.xfail(strict=True, reason="strictly")
def test_strictly_unexpected():
    pass


@pytest.mark.xfail(raises=ValueError)
def test_of_another_kind():
    raise KeyError("k")


@pytest.mark.xfail(run=False, reason="dangerous")
def test_not_run():
    raise SystemExit


@pytest.mark.xfail
def test_expected_in_teardown(leaves_badly):
    pass


@pytest.mark.xfail
def test_expected_in_setup(comes_badly):
    pass


def test_expected_from_now_on():
    pytest.xfail("said while it ran")


def test_marked_while_it_runs(request):
    request.node.add_marker(pytest.mark.xfail(strict=True, reason="added"))


def test_marked_by_a_fixture(expects):
    assert 0


@pytest.fixture
def expects(request):
    request.applymarker(pytest.mark.xfail(reason="from a fixture"))


def test_fails_by_word():
    pytest.fail("by word", pytrace=False)


def test_nested_exceptions():
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise ValueError("outer") from error


def test_importorskip():
    pytest.importorskip("no_such_module_anywhere")


@pytest.mark.parametrize("value", [0, 1, "two", None, "\x1b", "\u00e9"])
def test_parameters(value):
    assert value != 1


@pytest.mark.parametrize("way", ["a", pytest.param("b", marks=pytest.mark.xfail), "c"])
@pytest.mark.parametrize("other", [1, 2])
def test_two_parameters(way, other):
    assert (way, other) != ("c", 2) and way != "b"


if hasattr(pytest, "Subtests"):

    def test_subtests(subtests):
        for number in range(4):
            with subtests.test(msg="number", number=number):
                print("zoo: subtest", number)
                if number == 1:
                    pytest.skip("one")
                assert number != 2

    def test_subtests_pass(subtests):
        for number in range(2):
            with subtests.test(number=number):
                assert number < 2


class TestCases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.value = 1
        print("zoo: class set up")

    @classmethod
    def tearDownClass(cls):
        print("zoo: class torn down", cls.value)
        if cls.value > 2:
            raise ValueError("in tearDownClass")

    def setUp(self):
        self.addCleanup(print, "zoo: cleaned up")

    def test_counts(self):
        type(self).value += 1
        self.assertLess(self.value, 4)

    def test_value(self):
        self.assertEqual(self.value, 1)

    def test_subtests(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertNotEqual(number, 2)

    def test_skips(self):
        self.skipTest("here")

    @unittest.expectedFailure
    def test_expected(self):
        self.fail("expected")

    @unittest.expectedFailure
    def test_unexpected(self):
        pass

    def test_cleanup_fails(self):
        self.addCleanup(self.fail, "in the cleanup")


class TestAsynchronous(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.value = 1

    async def test_passes(self):
        self.assertEqual(self.value, 1)

    async def test_fails(self):
        self.fail("asynchronously")
