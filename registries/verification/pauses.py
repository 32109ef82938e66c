"""Pauses that registries requested with Retry-After, per namespace and user name. Owns Pause.

A pause holds in the namespace whose test was refused. Another namespace neither sees it nor has to wait for it, and
hears of a busy registry by its own first test.
"""

import math
from datetime import timedelta

from django.utils import timezone

from registries.models import Pause


class Pauses:
    """The Restraint interface on the database, shared by all processes."""

    def note(self, namespace: str, registry: str, username: str, seconds: int) -> None:
        """`registry` is host:port."""
        Pause.objects.filter(until__lt=timezone.now()).delete()
        until = timezone.now() + timedelta(seconds=seconds)
        Pause.objects.update_or_create(
            namespace=namespace, registry=registry[:300], username=username[:256], defaults={"until": until}
        )

    def left(self, namespace: str, registry: str, username: str) -> int:
        now = timezone.now()
        mine = Pause.objects.filter(namespace=namespace, registry=registry[:300], username=username[:256])
        pause = mine.filter(until__gt=now).first()
        return math.ceil((pause.until - now).total_seconds()) if pause else 0

    def active(self) -> set[tuple[str, str, str]]:
        """(namespace, registry, user name) of every current pause."""
        current = Pause.objects.filter(until__gt=timezone.now())
        return set(current.values_list("namespace", "registry", "username"))
