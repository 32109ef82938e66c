"""The Django app. Connects the audit log to log-in and log-out, and suits PostgreSQL to the texts of clients."""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register
from django.db.backends.signals import connection_created

NUL, INSTEAD = "\0", "\ufffd"


class RegistriesConfig(AppConfig):
    name = "registries"

    def ready(self) -> None:
        from registries.log_in.signals import connect

        connect()
        connection_created.connect(_suit, dispatch_uid="without NUL")
        register(check_settings)


def _suit(sender: object, connection: Any, **kwargs: Any) -> None:
    if connection.vendor == "postgresql" and without_nul not in connection.execute_wrappers:
        connection.execute_wrappers.append(without_nul)


def without_nul(execute: Callable[..., object], sql: str, params: object, many: bool, context: Any) -> object:
    """PostgreSQL fails on a text with NUL, which a client can send in any place, also without an account. With another
    character instead, it is a text that no row has."""
    return execute(sql, _without_nul(params), many, context)


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(NUL, INSTEAD) if NUL in value else value
    return type(value)(map(_without_nul, value)) if isinstance(value, list | tuple) else value


def check_settings(**kwargs: Any) -> Sequence[CheckMessage]:
    """Raises ImproperlyConfigured for settings that contradict each other. `manage.py` reports it in one line."""
    from registries.wiring import services

    services().check_settings()
    return ()
