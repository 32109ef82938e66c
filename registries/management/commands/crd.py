"""`manage.py crd`: prints or installs what a cluster needs before the console: the resource definition and the
roles."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registries.domain.errors import ConsoleError
from registries.wiring import services
from registries.words.problems import error_text


class Command(BaseCommand):
    help = "Print the definition of RegistrySecret and the cluster roles, or install and update them with --apply."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="apply them to the cluster of KUBECONFIG")

    def handle(self, *args: Any, apply: bool, **options: Any) -> None:
        from registries.cluster import installation

        if not apply:
            self.stdout.write(installation.manifest(), ending="")
            return
        try:
            for name in installation.apply(services().connection):
                self.stdout.write(name)
        except ConsoleError as error:
            raise CommandError(f"{error.subject}: {error_text(error)}") from error
