"""`manage.py rotate_keys`: a new key for the passwords at rest, while the console runs.

The new key is added first, then every password is brought under it, and only when none needs an old key any
more are those dropped. A crash in between leaves all keys in place; run it again.
"""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.datadir import KeyFile
from registries import wiring


class Command(BaseCommand):
    help = "Seal all stored passwords under a new key and forget the old ones."

    def handle(self, *args: Any, **options: Any) -> None:
        if wiring.on_cluster():
            raise CommandError(
                "On a cluster no password is kept here; its encryption at rest is the cluster's."
            )
        keys = settings.PASSWORD_KEYS
        if not isinstance(keys, KeyFile):
            count = wiring.embedded_store().reseal()
            self.stdout.write(
                f"{count} passwords are sealed under the first key of CONSOLE_PASSWORD_KEYS. Remove the others from it."
            )
            return
        newest = Fernet.generate_key().decode()
        keys.replace([newest, *keys()])
        count = wiring.embedded_store().reseal()
        keys.replace([newest])
        self.stdout.write(f"{count} passwords are sealed under a new key; the old keys are gone.")
