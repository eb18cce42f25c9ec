"""The random state a run begins with, and where hypothesis keeps what it has learned."""

import os
import random
import sys
from contextlib import suppress

_SEED = random.seed


def seed(value):
    """Seeds what is loaded; `None` leaves all as it is."""
    if value is None:
        return
    _SEED(value)
    # A library that no collected module has imported is left to be imported by the test that needs it.
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        with suppress(Exception):  # a stub, or a numpy without the legacy generator
            numpy.seed(value % 2**32)
    core = sys.modules.get("hypothesis.core")
    if hasattr(core, "global_force_seed") and core.global_force_seed is None:
        core.global_force_seed = value


def seed_plugins(config, value):
    """Gives the run's seed to pytest-randomly, before it draws one."""
    if value is not None and hasattr(config.option, "randomly_seed"):
        config.option.randomly_seed = value % 2**32


def keep_examples(directory):
    """Has hypothesis write to `directory`, so that nothing it learns in a run is known to the next."""
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = directory
    configuration = sys.modules.get("hypothesis.configuration")
    if hasattr(configuration, "set_hypothesis_home_dir"):
        configuration.set_hypothesis_home_dir(directory)


def forget_parent():
    """In a forked child: states that all children would share. A fresh process draws its own."""
    _SEED()
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        with suppress(Exception):
            numpy.seed()
    core = sys.modules.get("hypothesis.core")
    local = getattr(core, "threadlocal", None)
    if local is not None and hasattr(local, "_hypothesis_global_random"):
        local._hypothesis_global_random = None
    elif hasattr(core, "_hypothesis_global_random"):
        core._hypothesis_global_random = None
    settings = sys.modules.get("hypothesis.database")
    if settings is not None and hasattr(getattr(settings, "_db_for_path", None), "cache_clear"):
        settings._db_for_path.cache_clear()
