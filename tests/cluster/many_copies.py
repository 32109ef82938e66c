"""A run over many copies on a cluster, for tests: how it begins, is held, and what came of it."""

import threading
from math import inf
from typing import Any
from uuid import UUID

from registries.cluster.paths import registry
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import encode_password
from registries.models import Run, RunItem
from registries.runs.run import RunState
from registries.wiring import services
from tests.cast import Cast
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.older_rule import OlderRule
from tests.peers.scripted import wait_for

COPIES = 20
AT_ONCE = 8
OLD, THEIRS = "old-password", "of-somebody-else"


def settled() -> bool:
    """Whether the upkeep has nothing to do."""
    upkeep: Any = services().store._follower.here()._reconciler  # type: ignore[attr-defined]
    is_due = upkeep._due.first(inf) < inf
    return upkeep._lease.is_held and bool(upkeep._watching) and not (is_due or upkeep._unchecked)


def begin(people: Cast, registries: list[RegistrySecret], password: str) -> UUID:
    return services().rotations.begin(
        access=people.access("nina"), registries=registries, changes={"password": password}
    )


def state(run: UUID) -> RunState:
    return RunState(Run.objects.get(pk=run).state)


def over(run: UUID, expected: RunState) -> bool:
    return wait_for(lambda: state(run) is expected)


def outcomes(run: UUID) -> dict[str, tuple[str, str]]:
    rows = RunItem.objects.filter(run=run).order_by("pk").values_list("name", "state", "problem")
    return {name: (state, problem) for name, state, problem in rows}


def stored(cluster: Cluster, name: str) -> str:
    body = cluster.server.call("GET", registry(Key("team-a", name))).body
    return str(body["spec"]["password"])


def change(cluster: Cluster, name: str, password: str) -> None:
    """With kubectl."""
    patch = {"spec": {"password": encode_password(password)}}
    cluster.server.call("PATCH", registry(Key("team-a", name)), patch, kind=MERGE_PATCH)


class Hold:
    """Keeps the answers to so many changes of registries back, until they are let go, except those of some."""

    def __init__(self, front: OlderRule, number: int, *others: str) -> None:
        self._others, self._number = others, number
        self._changed = threading.Condition()
        self._free = False
        self.names: list[str] = []
        front.passed = self._passed

    def _passed(self, method: str, path: str) -> None:
        place, _, name = path.rpartition("/")
        with self._changed:
            of_copy = method == "PATCH" and place.endswith("registrysecrets") and name not in self._others
            if not of_copy or len(self.names) >= self._number:
                return
            self.names.append(name)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._free, 60)

    def wait(self) -> None:
        """Returns when so many are under way."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.names) == self._number, 60)

    def let_go(self) -> None:
        with self._changed:
            self._free = True
            self._changed.notify_all()
