"""Other plugins that would choose, repeat, drop or distribute tests, made harmless from inside.

Blocking them with `-p no:NAME` fails as soon as the project's `addopts` has one of their options, so they are loaded,
parse their options, and find them unset when they act. What really changed is told to the driver.
"""

from types import ModuleType

# plugin -> option -> the value that makes it do nothing
OPTIONS = (
    (
        "xdist",
        {
            "numprocesses": None,
            "maxprocesses": None,
            "tx": [],
            "dist": "no",
            "distload": False,
            "looponfail": False,
        },
    ),
    ("randomly", {"randomly_reorganize": False}),
    ("random_order", {"random_order_enabled": False}),
    (
        "rerunfailures",
        {
            "reruns": 0,
            "force_reruns": None,
            "reruns_delay": 0,
            "fail_on_flaky": False,
            "max_suite_reruns": None,
        },
    ),
    ("flaky", {"force_flaky": False}),
    ("pytest-retry", {"retries": None}),
    ("pytest_forked", {"forked": False}),
    ("repeat", {"count": 1}),
    ("flakefinder", {"flake_finder_enable": False, "flake_runs": 1}),
    ("pytest-split", {"splits": None, "group": None, "store_durations": False}),
    ("picked", {"picked": None}),
    (
        "pytest-testmon",
        {"testmon": False, "testmon_noselect": False, "testmon_forceselect": False},
    ),
    ("quarantine", {"quarantine": None, "save_quarantine": None}),
    ("pytest_cov", {"cov_source": [], "no_cov": True, "cov_fail_under": None}),
    (
        "cacheprovider",
        {"lf": False, "failedfirst": False, "newfirst": False, "cacheclear": False, "cacheshow": None},
    ),
    ("stepwise", {"stepwise": False, "stepwise_skip": False, "stepwise_reset": False}),
    ("debugging", {"usepdb": False, "trace": False}),
    ("main", {"maxfail": 0}),
    ("setuponly", {"setuponly": False, "setupshow": False}),
    ("setupplan", {"setupplan": False}),
    ("collection", {"collectonly": False}),
)

# They act by the mere presence of a mark or of a result, whatever their options say.
UNREGISTERED = ("rerunfailures", "flaky", "pytest-retry", "pytest_forked", "dependency")


def before_conftests(early_config):
    """pytest-cov starts measuring before anything else can speak to it."""
    known = getattr(early_config, "known_args_namespace", None)
    changed = []
    if known is not None and getattr(known, "cov_source", None):
        known.no_cov = True
        known.cov_source = []
        changed.append(("pytest_cov", "no_cov=True"))
    return changed


def options(config):
    """Sets the options that exist, before their plugins act on them in `pytest_configure`."""
    known = config.option.__dict__
    changed = []
    for plugin, wanted in OPTIONS:
        for name, value in wanted.items():
            was = known.get(name)
            if was and was != value:  # None, 0, False and [] mean the same: nobody asked for it
                known[name] = value
                changed.append((plugin, f"{name}={value!r}"))
    if "no-testmon" in known:
        known["no-testmon"] = True
    for name in ("random_order_bucket", "random_order_seed"):
        # Whatever does not begin so switches the plugin on.
        if not str(known.get(name, "default:")).startswith("default:"):
            known[name] = "default:module" if name.endswith("bucket") else "default:1"
            changed.append(("random_order", name))
    rerun = config.pluginmanager.get_plugin("rerunfailures")
    if getattr(rerun, "HAS_PYTEST_HANDLECRASHITEM", False):
        # Where xdist is installed too it would start a thread with a socket, and nobody could be forked any more.
        rerun.HAS_PYTEST_HANDLECRASHITEM = False
    return changed


def _endless(config):
    """A session's time, kept by pytest-timeout: a server lives longer than one session of the project would."""
    key = getattr(config.pluginmanager.get_plugin("timeout"), "SESSION_EXPIRE_KEY", None)
    if key is None or not config.stash.get(key, 0):
        return []
    config.stash[key] = 0
    return [("timeout", "session_timeout=None")]


def unregister(config):
    """Removes the plugins no option stops. Their options, ini keys and marks stay known."""
    changed = _endless(config)
    manager = config.pluginmanager
    for name in UNREGISTERED:
        plugin = manager.get_plugin(name)
        if plugin is None:
            continue
        module = module_of(plugin)
        try:
            for other in list(manager.get_plugins()):  # some register a second object
                if other is plugin or module_of(other) == module:
                    manager.unregister(other)
        except (ValueError, AssertionError, KeyError) as error:  # pluggy's ways to say that it is not there
            changed.append((name, f"could not be unregistered: {type(error).__name__}"))
        else:
            changed.append((name, "unregistered"))
    return changed


def module_of(plugin):
    """The name of the module a plugin is, or comes from."""
    return plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__
