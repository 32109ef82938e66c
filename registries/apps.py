"""The app; connects the audit log to logging in and out."""

from django.apps import AppConfig


class RegistriesConfig(AppConfig):
    name = "registries"

    def ready(self) -> None:
        from registries import sign_ins

        sign_ins.connect()
