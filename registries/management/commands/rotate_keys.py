"""`manage.py rotate_keys`: a new key for what is sealed at rest, while the console runs: passwords, and the
credentials of a cluster that people logged in with.

The new key is added first, then everything is brought under it, and only when none needs an old key any
more are those dropped. A crash in between leaves all keys in place; run it again.
"""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand

from console.datadir import KeyFile
from registries.wiring import services


class Command(BaseCommand):
    help = "Seal all stored passwords and credentials under a new key and forget the old ones."

    def handle(self, *args: Any, **options: Any) -> None:
        keys = settings.PASSWORD_KEYS
        if not isinstance(keys, KeyFile):
            self.stdout.write(
                f"{_resealed()} are sealed under the first key of CONSOLE_PASSWORD_KEYS. Remove the others from it."
            )
            return
        newest = Fernet.generate_key().decode()
        keys.replace([newest, *keys()])
        resealed = _resealed()
        keys.replace([newest])
        self.stdout.write(f"{resealed} are sealed under a new key; the old keys are gone.")


def _resealed() -> str:
    passwords, credentials = services().reseal()
    return f"{passwords} passwords and the credentials of {credentials} sessions"
