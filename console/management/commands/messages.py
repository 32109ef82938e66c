"""`manage.py messages`: updates the message catalogues after a text was changed."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from console.messages import update


class Command(BaseCommand):
    help = "Add new texts to the catalogues and drop those that are gone."

    def handle(self, *args: Any, **options: Any) -> None:
        for folder in settings.LOCALE_PATHS:
            for catalogue in Path(folder).glob("*/LC_MESSAGES/django.po"):
                added, gone = update(catalogue)
                self.stdout.write(f"{catalogue.parent.parent.name}: {added} new, {gone} gone")
