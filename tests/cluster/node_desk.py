"""The service of tests from a node on a real API server, with a person who may test in team-a."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from django.utils import timezone

from registries.audit.log import AuditLog
from registries.cluster.paths import pods_in
from registries.cluster.personal import Person
from registries.domain.access import Access, Role
from registries.domain.registry import Draft, Provider
from registries.pull_secrets.node_test import (
    NodeVerdict,
    Outcome,
)
from registries.service.guard import Guard
from registries.service.node_tests import NodeTests
from registries.stores.cluster.store import KubernetesStore
from tests.canary import CANARY
from tests.cluster.users import KEY
from tests.peers.cluster import Cluster
from tests.peers.containerd import Node, running_containerd
from tests.peers.scripted import wait_for

EDGE, AWAY = "edge-07", "edge-08"
PODS = pods_in("team-a")
USERS = {"robot$ci": CANARY}
PROBER = {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}


@pytest.fixture(scope="module")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running_containerd(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture
def prober(place: Cluster, admin: Person) -> Iterator[Person]:
    """image-admin, and image-prober in team-a only, so that nodes cannot be listed."""
    place.bind("team-a-admin", "image-prober", "team-a")
    yield admin
    place.unbind("team-a-admin", "image-prober", "team-a")
    assert wait_for(lambda: not place.allows("team-a-admin", PROBER, "team-a"))


class Desk:
    """The service, a clock that a test moves, and the work for later."""

    def __init__(self, store: KubernetesStore, person: Person) -> None:
        self.late = timedelta()
        self.later: list[Callable[[], None]] = []
        held = MappingProxyType({"team-a": Role.ADMIN.permissions})
        self.access = Access("team-a-admin", namespaces=held, acting=person)
        audit = AuditLog()
        self.tests = NodeTests(
            store, Guard(store, audit, nullcontext), audit, self.now, lambda _, it: self.later.append(it), ()
        )

    def now(self) -> datetime:
        return timezone.localtime() + self.late

    def begin(self, node: str = EDGE, repository: str = "project/app") -> str:
        return self.begin_all([node], repository)[0]

    def begin_all(self, nodes: Sequence[str], repository: str = "project/app") -> list[str]:
        return self.tests.begin(access=self.access, key=KEY, nodes=nodes, repository=repository)

    def look(self, test: str) -> NodeVerdict:
        return self.tests.look(access=self.access, key=KEY, test=test)

    def verdict(self, test: str) -> NodeVerdict:
        found: list[NodeVerdict] = []
        assert wait_for(lambda: found.append(self.look(test)) or found[-1].outcome is not Outcome.WAITING)  # type: ignore[func-returns-value]
        return found[-1]


@pytest.fixture
def desk(store: KubernetesStore, prober: Person) -> Desk:
    return Desk(store, prober)


def add(store: KubernetesStore, domain: str, password: str = CANARY) -> None:
    store.create(Draft(KEY, domain, "robot$ci", Provider.OTHER, password))


@pytest.fixture
def added(store: KubernetesStore) -> None:
    add(store, "harbor.example.com")


def pods(cluster: Cluster) -> list[dict[str, Any]]:
    return list(cluster.server.call("GET", PODS).body["items"])
