"""Pauses that registries requested with Retry-After, per user name. Owns Pause."""

import math
from datetime import timedelta

from django.utils import timezone

from registries.models import Pause


class Pauses:
    """The Restraint interface on the database, shared by all processes."""

    def note(self, registry: str, username: str, seconds: int) -> None:
        """`registry` is host:port."""
        Pause.objects.filter(until__lt=timezone.now()).delete()
        until = timezone.now() + timedelta(seconds=seconds)
        Pause.objects.update_or_create(
            registry=registry[:300], username=username[:256], defaults={"until": until}
        )

    def left(self, registry: str, username: str) -> int:
        now = timezone.now()
        pause = Pause.objects.filter(registry=registry[:300], username=username[:256], until__gt=now).first()
        return math.ceil((pause.until - now).total_seconds()) if pause else 0

    def active(self) -> list[tuple[str, str]]:
        """(registry, user name) of every current pause."""
        return list(Pause.objects.filter(until__gt=timezone.now()).values_list("registry", "username"))
