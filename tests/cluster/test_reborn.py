"""A namespace that was deleted and created again does not show its old audit log to its new people."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries import wiring
from registries.audit.action import Action
from registries.audit.search import visible
from registries.domain.access import Access, Role
from registries.events.outbox import COLLECTING, GIVEN_UP, tell
from registries.models import AuditEntry, Channel, CheckInterval, Delivery, Silence
from registries.wiring import services
from tests.events.conftest import change
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster, patience
from tests.peers.scripted import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "reborn"
VIC = Access.from_grants("vic", [(NAME, Role.VIEWER)])
OLIVE = Access.from_grants("olive", [("*", Role.ADMIN)])


@pytest.fixture
def server(cluster: Cluster, settings: Any) -> Iterator[ApiServer]:
    if not isinstance(cluster.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    cluster.server.create_namespace(NAME)
    settings.STORE, settings.KUBECONFIG = "kubernetes", str(cluster.server.kubeconfig("console"))
    wiring.reset()
    with patience():
        yield cluster.server
        services().store.stop()
    wiring.reset()
    cluster.server.finalize_namespace(NAME)


def noted(note: str, at: datetime) -> None:
    services().audit.record(OLIVE, Action.NAMESPACE, namespace=NAME, note=note)
    AuditEntry.objects.filter(note=note).update(at=at)


def shown(access: Access) -> list[str]:
    return sorted(it.note for it in visible(access).filter(namespace=NAME))


def test_entries_from_before_its_creation_are_for_administrators(server: ApiServer) -> None:
    noted("before", datetime.now(UTC) - timedelta(days=1))
    noted("after", datetime.now(UTC) + timedelta(seconds=1))

    services().store.changes(None)

    assert wait_for(lambda: shown(VIC) == ["after"])
    assert shown(OLIVE) == ["after", "before"]


def test_one_that_is_created_again_while_the_console_watches(server: ApiServer) -> None:
    services().store.changes(None)
    at = datetime.now(UTC) + timedelta(milliseconds=1)
    noted("of the first", at)
    assert shown(VIC) == ["of the first"]

    server.finalize_namespace(NAME)
    assert wait_for(lambda: server.call("GET", f"/api/v1/namespaces/{NAME}").status == 404)
    assert wait_for(lambda: datetime.now(UTC).replace(microsecond=0) > at), "a creation has whole seconds"
    server.create_namespace(NAME)

    assert wait_for(lambda: shown(VIC) == [])


def test_its_channels_are_off_its_silences_end_and_its_intervals_are_forgotten(server: ApiServer) -> None:
    """Otherwise the group of the people before would hear of the failures of the new ones."""
    now = timezone.now()
    early, lately = now - timedelta(hours=1), now - timedelta(minutes=1)
    for at in (early, lately):
        Channel.objects.create(namespace=NAME, name=str(at), service="slack", sealed="", created_at=at)
        Silence.objects.create(
            namespace=NAME, starts_at=at, ends_at=now + timedelta(days=1), person="nina", created_at=at
        )
    for uid, at in (("", early), ("a registry", lately)):
        CheckInterval.objects.create(namespace=NAME, uid=uid, seconds=0, chosen_at=at)
    CheckInterval.objects.create(namespace="nowhere", seconds=0, chosen_at=early)
    Channel.objects.create(name="all", service="slack", sealed="", created_at=early)
    Silence.objects.create(starts_at=early, ends_at=now + timedelta(days=1), person="olive", created_at=early)
    tell([change(namespace=NAME)])
    server.finalize_namespace(NAME)
    assert wait_for(lambda: server.call("GET", f"/api/v1/namespaces/{NAME}").status == 404)
    server.create_namespace(NAME)

    assert services().store.freshness().known or wait_for(lambda: services().store.freshness().known)
    assert wait_for(lambda: not Channel.objects.get(name=str(early)).enabled)

    assert wait_for(lambda: Silence.objects.count() == 2)
    assert [it.created_at for it in Silence.objects.filter(namespace=NAME)] == [lately]
    assert wait_for(lambda: not CheckInterval.objects.filter(namespace=NAME, uid="").exists())
    assert CheckInterval.objects.count() == 2
    assert set(Channel.objects.filter(enabled=True).values_list("name", flat=True)) == {"all", str(lately)}
    states = dict(Delivery.objects.values_list("channel__name", "state"))
    assert states == {str(early): GIVEN_UP, str(lately): COLLECTING, "all": COLLECTING}
