"""The audit log: who did what, when, from where, and how it ended. Owns AuditEntry.

Notes are codes and names, never text that somebody typed into a secret field.
"""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from registries.audit.action import OK, Action
from registries.domain.access import Access
from registries.domain.registry import Key, RegistrySecret
from registries.models import AuditEntry


class AuditLog:
    """action.Audit on the database; the service and the few other places that change things hold one."""

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
    """The newest events of one registry, refused attempts included; not those of an earlier namesake."""
    refused = Q(uid="", namespace=registry.namespace, name=registry.name, at__gte=registry.created_at)
    return list(AuditEntry.objects.filter(Q(uid=registry.uid) | refused).order_by("-at", "-pk")[:limit])


def visible(
    access: Access, *, namespace: str = "", action: str = "", person: str = ""
) -> QuerySet[AuditEntry]:
    """The entries that a person may see, newest first: those of their namespaces, their own, or all."""
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
