"""The Django app. Connects the audit log to log-in and log-out."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register


class RegistriesConfig(AppConfig):
    name = "registries"

    def ready(self) -> None:
        from registries.log_in.signals import connect

        connect()
        register(check_settings)


def check_settings(**kwargs: Any) -> Sequence[CheckMessage]:
    """Raises ImproperlyConfigured for settings that contradict each other. `manage.py` reports it in one line."""
    from registries.wiring import services

    services().check_settings()
    return ()
