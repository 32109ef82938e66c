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
from django.core.wsgi import get_wsgi_application
from django.db import connection, connections

from console import assets, datadir
from console.server import Server

MIGRATION_LOCK = 0x5265676973  # "Regis"; any number that nobody else in this database uses


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
        _ = services().store  # what is wrong with its settings is said now, not to the first visitor
        run(bind, lambda: self.stdout.write(f"http://{bind}/"), lambda: services().start())

    def _warn(self, bind: str, *, local: bool) -> None:
        from registries.people.grants import administrators

        if local and not administrators():
            self.stdout.write("Nobody can log in yet: run `manage.py createsuperuser`.")
        if not is_loopback(bind):
            self.stdout.write("Cookies are sent over HTTPS only: put a TLS proxy in front (see README.md).")


def prepare(bind: str) -> None:
    """Everything that has to be there before the first request: folder, database, files; then the cookies."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        datadir.private_file(Path(database["NAME"]))
    with ThreadPoolExecutor(1) as pool:  # compressing takes as long as migrating: side by side
        collected = pool.submit(assets.collect)
        with _alone():
            call_command("migrate", interactive=False, verbosity=0)
        collected.result()
    if is_loopback(bind):
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = False


@contextmanager
def _alone() -> Iterator[None]:
    """Replicas that start together migrate one after the other. SQLite, which has one process, needs no lock."""
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
    """Serve until told to stop; `on_start` is called in the process that answers requests.

    Connections opened so far must not be shared with that process, and this one, which only watches over it, has
    nothing to do beside that.
    """
    from registries.wiring import services

    connections.close_all()
    services().stop()
    Server(get_wsgi_application(), bind, on_ready, on_start).run()


def is_loopback(bind: str) -> bool:
    host = bind.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
