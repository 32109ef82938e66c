"""The audit log: person, action, time, source and outcome. Owns AuditEntry."""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from registries.audit.action import OK, Action
from registries.domain.access import Access
from registries.domain.registry import Key, RegistrySecret
from registries.models import AuditEntry


class AuditLog:
    """The Audit interface on the database."""

    def record(
        self,
        access: Access,
        action: Action,
        *,
        outcome: str = OK,
        key: Key | None = None,
        namespace: str = "",
        uid: str = "",
        note: str = "",
    ) -> None:
        AuditEntry.objects.create(
            person=access.person[:150],
            source=access.source[:45],
            action=action.value,
            namespace=key.namespace if key else namespace[:63],
            name=key.name[:253] if key else "",
            uid=uid,
            outcome=outcome[:32],
            note=note[:255],
        )

    def record_all(
        self, access: Access, action: Action, items: Sequence[tuple[Key, str]], *, outcome: str = OK
    ) -> None:
        entries = (
            AuditEntry(
                person=access.person[:150],
                source=access.source[:45],
                action=action.value,
                namespace=key.namespace,
                name=key.name[:253],
                uid=uid,
                outcome=outcome[:32],
            )
            for key, uid in items
        )
        AuditEntry.objects.bulk_create(entries, batch_size=500)


def events_of(registry: RegistrySecret, limit: int = 50) -> Sequence[AuditEntry]:
    """The newest entries of one registry with refused attempts, without entries of an earlier registry of this name."""
    refused = Q(uid="", namespace=registry.namespace, name=registry.name, at__gte=registry.created_at)
    return list(AuditEntry.objects.filter(Q(uid=registry.uid) | refused).order_by("-at", "-pk")[:limit])


def visible(
    access: Access, *, namespace: str = "", action: str = "", person: str = ""
) -> QuerySet[AuditEntry]:
    """The entries that the person may see, newest first: own entries and those of visible namespaces, or all."""
    entries = AuditEntry.objects.order_by("-at", "-pk")
    if not access.administers:
        if not access.sees_everything:
            entries = entries.filter(
                Q(namespace__in=list(access.namespaces)) | Q(namespace="", person=access.person)
            )
        else:
            entries = entries.filter(~Q(namespace="") | Q(person=access.person))
    for name, value in (("namespace", namespace), ("action", action), ("person", person)):
        if value:
            entries = entries.filter(**{name: value})
    return entries
