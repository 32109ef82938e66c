"""How the whole suite runs: settings for tests, which examples are drawn, how it ends.

A plugin of pytest.
"""

import gc
import logging
import os
import signal
from collections.abc import Generator
from types import FrameType

import pytest


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings
    from django.contrib.contenttypes.management import create_contenttypes
    from django.db import connection
    from django.db.models.signals import post_migrate

    from tests import canary, examples

    settings.MIDDLEWARE[:] = [
        it.replace("whitenoise.middleware.WhiteNoise", "tests.static.StaticFiles")
        for it in settings.MIDDLEWARE
    ]
    settings.MIDDLEWARE.insert(0, "tests.canary.WatchMiddleware")
    settings.TEST_THREADS = 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a third of a second less
    # A file, as in real use: SQLite's shared memory cannot be written from several threads.
    connection.settings_dict["TEST"]["NAME"] = str(settings.DATA_DIR / "test.sqlite3")
    examples.load()
    # The console has no use for Django's permissions. A flush after a test would write all of them anew: 30 ms.
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)
    logging.getLogger().addHandler(canary.WatchHandler(logging.DEBUG))
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """All that the collection makes stays until the end: the garbage collector need not look at it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a second database a test of many cases runs once, with the first: its queries are the same in each case. Tests
    without a database do not run again. `make test-long` runs all cases there as well."""
    from tests import examples

    if not os.environ.get("CONSOLE_TEST_DATABASE_URL"):
        return
    wanted = [item for item in items if _uses_database(item)]
    if not examples.LONG:
        first = {_function(item): item for item in reversed(wanted)}
        wanted = [item for item in wanted if first[_function(item)] is item]
    config.hook.pytest_deselected(items=list(set(items).difference(wanted)))
    items[:] = wanted


def _function(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _uses_database(item: pytest.Item) -> bool:
    return "db" in getattr(item, "fixturenames", ()) or item.get_closest_marker("django_db") is not None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Ends the run: fixtures stop their servers. A shell starts jobs in the background with SIGINT ignored."""
    raise KeyboardInterrupt


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is meant to be there, a test that skips has failed, whatever it skips for."""
    report = yield
    if report.skipped and os.environ.get("CONSOLE_TEST_NO_SKIP") == "1":
        report.outcome = "failed"
    return report
