"""`manage.py rotate_keys`: encrypts all sealed data with a new key while the console runs: passwords, and the
cluster credentials of sessions.

The new key is added first. Then the command waits for writes that may have used an old one, and seals everything again.
The old keys are removed last. After a crash all keys are still there; run the command again. A second rotation waits
for the first one.
"""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.datadir import KeyFile
from registries.management.database import require_migrated
from registries.wiring import services


class Command(BaseCommand):
    help = "Seal all stored passwords and credentials with a new key, and delete the old keys."

    def handle(self, *args: Any, **options: Any) -> None:
        require_migrated()
        keys = settings.PASSWORD_KEYS
        if not isinstance(keys, KeyFile):
            self.stdout.write(
                f"{_resealed()} are sealed under the first key of CONSOLE_PASSWORD_KEYS. Remove the others from it."
            )
            return
        newest = Fernet.generate_key().decode()
        with keys.rotating():
            keys.replace([newest, *keys()])
            resealed = _resealed()
            keys.replace([newest])
        self.stdout.write(f"{resealed} are sealed under a new key; the old keys are gone.")


def _resealed() -> str:
    try:
        passwords, deleted, credentials, channels = services().reseal()
    except TimeoutError:
        raise CommandError(
            "Another process does not end a write of a password. No key was deleted. Run the command again; if that "
            "does not help, restart the console first."
        ) from None
    return (
        f"{passwords} passwords, {deleted} deleted registries, the credentials of {credentials} sessions "
        f"and {channels} channels"
    )
