"""Copies of registries and rules that keep them in sync, in every state, for the gallery."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from registries.domain.access import Access
from registries.domain.registry import Key
from registries.intake import read_draft
from registries.models import (
    Run,
    RunItem,
    SyncCopy,
    SyncRule,
)
from registries.sync.states import mark
from registries.wiring import services
from tests.gallery.furnishing import (
    EMPTY,
    LONGEST,
    MANY,
    ONE,
    REASONS,
    WAITING,
)


def fill_copies(access: Access) -> None:
    """Five copies of one registry: one as it was, one with another password, one with other values, one that is gone,
    and one whose name another registry has."""
    source = services().registries.find(access=access, key=Key("team-b", "harbor-own-ca"))
    for namespace in (MANY, WAITING, "default"):
        services().copying.copy(access=access, key=Key(namespace, source.name), uid=source.uid)
    changed, other = (services().store.get(Key(it, source.name)) for it in (WAITING, "default"))
    services().store.set_password(changed.key, "another-password", uid=changed.uid)
    services().store.delete(other.key, uid=other.uid)
    typed = {"domain": source.domain, "username": "robot$pull", "password": "another-password", "tls": "skip"}
    named = {"name": other.name, "namespace": other.namespace, "provider": "harbor"}
    new = services().store.create(read_draft({**typed, **named}))
    services().store.annotate(new.key, services().origins.annotations(source, new.key), uid=new.uid)
    run = Run.objects.create(id=uuid4(), kind="copy", person="nobody", owner="nobody", state="done")
    for namespace, name in (("test-namespace", source.name), ("team-a", "harbor-team-a")):
        RunItem.objects.create(
            run=run, namespace=namespace, name=name, uid=source.uid, state="done", ended_at=datetime.now(UTC)
        )


def fill_rules(access: Access) -> None:
    """A rule with every state of a copy, and one that is paused. Another process claims both: none changes. It selects
    by name, since a rule for all namespaces leaves none."""
    never = timezone.now() + timedelta(days=1000)
    for name, state, person in (("harbor-own-ca", "active", "olive"), ("harbor-team-b", "no_right", "anna")):
        source = services().registries.find(access=access, key=Key("team-b", name))
        SyncRule.objects.create(
            uid=source.uid,
            namespace="team-b",
            name=name,
            owner="x",
            person=person,
            state=state,
            claimed_until=never,
        )
    rule = SyncRule.objects.get(name="harbor-own-ca")
    found = {
        MANY: "in_step",
        WAITING: "changed",
        "default": "name_taken",
        EMPTY: "deleted",
        LONGEST: "failed",
    }
    found |= {ONE: "present", "gone": "namespace_gone", REASONS: "left"}
    for namespace, state in found.items():
        problem = "namespace_full" if state == "failed" else ""
        SyncCopy.objects.create(rule=rule, namespace=namespace, state=state, problem=problem)
    rule.names = " ".join(it for it, state in found.items() if state != "left")
    rule.save(update_fields=["names"])
    made, changed = (services().store.get(Key(it, "harbor-own-ca")) for it in (MANY, WAITING))
    SyncCopy.objects.filter(namespace=MANY).update(uid=made.uid, mark=mark(made), made_binding=True)
    SyncCopy.objects.filter(namespace=WAITING).update(uid=changed.uid, mark="1")
    SyncCopy.objects.filter(namespace=EMPTY).update(uid=str(uuid4()))
    _former(access, never)


def _former(access: Access, never: datetime) -> None:
    """A copy and a rule of a registry that was deleted, and created again."""
    source, former = (
        services().registries.find(access=access, key=Key("dev-namespace", "dockerhub-dev")),
        uuid4(),
    )
    services().copying.copy(access=access, key=Key(WAITING, source.name), uid=source.uid)
    copy = services().store.get(Key(WAITING, source.name))
    notes = services().origins.annotations(replace(source, uid=str(former)), copy.key)
    services().store.annotate(copy.key, notes, uid=copy.uid)
    place = {"namespace": source.namespace, "name": source.name}
    values = {"owner": "x", "person": "olive", "state": "source_gone", "claimed_until": never}
    SyncRule.objects.create(uid=str(former), labels="env=prod", **place, **values)
