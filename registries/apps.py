"""The app; connects the audit log to logging in and out."""

from django.apps import AppConfig


class RegistriesConfig(AppConfig):
    name = "registries"

    def ready(self) -> None:
        from registries.log_in.signals import connect

        connect()
