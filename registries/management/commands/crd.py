"""`manage.py crd`: what a cluster has to know before the console: the resource's definition, and roles."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registries.domain.errors import ConsoleError
from registries.wiring import services
from registries.words import labels


class Command(BaseCommand):
    help = (
        "Print the definition of RegistrySecret and the cluster roles; with --apply, install or update them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="on the cluster that KUBECONFIG names")

    def handle(self, *args: Any, apply: bool, **options: Any) -> None:
        from registries.cluster import installation

        if not apply:
            self.stdout.write(installation.manifest(), ending="")
            return
        try:
            for name in installation.apply(services().connection):
                self.stdout.write(name)
        except ConsoleError as error:
            raise CommandError(f"{error.subject}: {labels.error_text(error)}") from error
