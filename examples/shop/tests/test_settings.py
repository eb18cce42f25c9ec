from shop import settings


def test_euros_unless_told_otherwise():
    assert settings.Settings().currency == "EUR"


def test_selling_in_dollars():
    settings.use_dollars()
    assert settings.settings.currency == "USD"


def test_reset():
    settings.reset()
    assert settings.settings == settings.Settings()
