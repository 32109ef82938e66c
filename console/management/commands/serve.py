"""`manage.py serve`: migrate, collect, serve. For real use; the demo is `make run`."""

import ipaddress
import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from console import assets, datadir
from console.handler import Handler
from console.server import Server

MIGRATION_LOCK = 0x5265676973  # "Regis". No other program may use this number in the database.


class Command(BaseCommand):
    help = "Serve the console. Makes the data folder and the database on first use."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="ADDRESS:PORT")

    def handle(self, *args: Any, bind: str, **options: Any) -> None:
        if settings.DEMO or (settings.DATA_DIR / "demo.json").exists():
            raise CommandError(
                f"{settings.DATA_DIR} holds the demo, with its known passwords. Choose another folder."
            )
        os.umask(0o077)
        prepare(bind)
        from registries.wiring import services

        self._warn(bind, local=not services().by_cluster)
        _ = services().store  # wrong settings must fail now, not at the first request
        run(bind, lambda: self.stdout.write(f"http://{bind}/"), lambda: services().start())

    def _warn(self, bind: str, *, local: bool) -> None:
        from registries.people.grants import administrators

        if local and not administrators():
            self.stdout.write("Nobody can log in yet: run `manage.py createsuperuser`.")
        if not is_loopback(bind):
            self.stdout.write("Cookies are sent over HTTPS only: put a TLS proxy in front (see README.md).")


def prepare(bind: str) -> None:
    """Makes the data folder, migrates the database and collects the static files.

    On a loopback address, cookies are also sent over HTTP.
    """
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        datadir.private_file(Path(database["NAME"]))
    with ThreadPoolExecutor(1) as pool:  # compression takes as long as the migration
        collected = pool.submit(assets.collect)
        with _alone():
            call_command("migrate", interactive=False, verbosity=0)
        collected.result()
    if is_loopback(bind):
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = False


@contextmanager
def _alone() -> Iterator[None]:
    """Holds a lock of the database, so that only one replica migrates. SQLite has one process and needs no lock."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def run(bind: str, on_ready: Callable[[], None], on_start: Callable[[], None] | None = None) -> None:
    """Serves until a signal. `on_ready` is called when the address is bound, `on_start` in the worker process.

    Closes the connections and stops the threads of this process first: the worker must not share them.
    """
    from registries.wiring import services

    connections.close_all()
    services().stop()
    Server(Handler(), bind, on_ready, on_start).run()


def is_loopback(bind: str) -> bool:
    host = bind.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
