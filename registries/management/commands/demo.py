"""`manage.py demo`: the console with demo registries behind it. `make run` calls it. CONSOLE_DEMO=1 must be set."""

import fcntl
import json
import os
import shutil
import threading
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.management.commands import serve
from registries.demo.process import DemoError, DemoRegistries
from registries.demo.seed import ACCOUNTS, PASSWORD, seed, test_the_slow_ones
from registries.wiring import services

MARK = "demo.json"


class Command(BaseCommand):
    help = "Serve the demo: five accounts, and registries on loopback that show every behaviour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="ADDRESS:PORT")
        parser.add_argument("--base-port", type=int, default=5500, help="first port of the demo registries")
        parser.add_argument(
            "--into-cluster",
            action="store_true",
            help="write the demo registries into the cluster of CONSOLE_STORE=kubernetes; its namespaces must exist",
        )
        parser.add_argument("--reset", action="store_true", help="delete all data of the demo, and exit")

    def handle(
        self, *args: Any, bind: str, base_port: int, into_cluster: bool, reset: bool, **options: Any
    ) -> None:
        if not settings.DEMO:
            raise CommandError("The demo has known passwords. Set CONSOLE_DEMO=1, or use `make run`.")
        if services().on_cluster and not into_cluster:
            raise CommandError(
                "The demo needs no cluster. Unset CONSOLE_STORE, or add --into-cluster to use the cluster."
            )
        os.umask(0o077)
        self._require_a_demo_folder()
        with (settings.DATA_DIR / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandError("The demo is already running. Stop it with Ctrl-C first.") from None
            if reset:
                shutil.rmtree(settings.DATA_DIR)
                self.stdout.write("All data of the demo is deleted. Start it again with `make run`.")
                return
            self._serve(bind, base_port)

    def _require_a_demo_folder(self) -> None:
        """Refuses a folder with other data: the demo would add accounts with known passwords to it, or delete it."""
        mark, database = settings.DATA_DIR / MARK, settings.DATA_DIR / "console.sqlite3"
        # The settings create an empty file for a new database.
        if not mark.exists() and database.exists() and database.stat().st_size:
            raise CommandError(
                f"{settings.DATA_DIR} contains data of a console that is not the demo. Choose another folder."
            )
        mark.touch()

    def _serve(self, bind: str, base_port: int) -> None:
        registries = DemoRegistries(settings.DATA_DIR / "registries", base_port=base_port)
        try:
            with ThreadPoolExecutor(1) as pool:  # the registries take as long to start as the database
                started = pool.submit(registries.start)
                serve.prepare(bind)
                started.result()
            first = self._load(registries)
            self._report(registries)
            serve.run(bind, lambda: self._ready(bind), lambda: self._begin(first=first))
        except DemoError as error:
            raise CommandError(str(error)) from error
        finally:
            registries.stop()

    def _load(self, registries: DemoRegistries) -> bool:
        """Fills the store on first use. Later starts keep all changes."""
        mark = settings.DATA_DIR / MARK
        if mark.read_text():
            return False
        seed(registries)
        mark.write_text(json.dumps({"loaded": True}))
        return True

    def _report(self, registries: DemoRegistries) -> None:
        for host, port in registries.skipped.items():
            self.stderr.write(f"Port {port} is in use by another program: {host} does not run.")

    def _begin(self, *, first: bool) -> None:
        services().start()
        if first:
            threading.Thread(target=test_the_slow_ones, daemon=True).start()

    def _ready(self, bind: str) -> None:
        accounts = ", ".join(name for name, *_ in ACCOUNTS)
        self.stdout.write(
            f"\n  http://{bind}/\n\n  log in as {accounts}; password: {PASSWORD}\n  Ctrl-C stops it.\n"
        )
