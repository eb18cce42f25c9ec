import unittest


class Account:
    limit = 10


class AdminCase(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        Account.limit = 1000

    def test_only(self):
        with self.subTest("one"):
            self.assertTrue(Account.limit)


class LimitCase(unittest.TestCase):
    def setUp(self):
        self.account = Account()

    def test_default(self):
        self.assertEqual(self.account.limit, 10)

    def test_raised(self):
        type(self.account).limit = 99
        self.assertEqual(self.account.limit, 99)

    @unittest.skip("never")
    def test_skipped(self):
        self.fail()
