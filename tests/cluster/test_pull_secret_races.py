"""A repair of a pull secret while the password changes: what was read before is never written over what is newer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from registries.cluster.paths import registry, secret
from registries.domain.registry import Draft, Key, Provider
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.secret import PullSecrets
from registries.stores.cluster.store import KubernetesStore
from tests.cluster.damages import DAMAGES
from tests.cluster.kept_secrets import secret_on
from tests.cluster.test_rotation import passwords
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster
from tests.peers.older_rule import OlderRule, older_rule

OLD, NEW = "old-password", "new-password"
KEY = Key("team-a", "harbor-prod")
CALLS = 4
"""The most calls of a repair: two reads, a deletion and a creation."""


@pytest.fixture
def front(empty: Cluster, tmp_path: Path) -> Iterator[OlderRule]:
    if not isinstance(empty.server, ApiServer):
        pytest.skip("the given cluster is not ours")
    with older_rule(empty.server, tmp_path) as found:
        found.refuses = False
        yield found


@pytest.fixture
def store(empty: Cluster) -> Iterator[KubernetesStore]:
    """It writes pull secrets, and does not look at them by itself: its threads are not started."""
    with empty.store(pull_secrets=True) as store:
        yield store


@pytest.mark.parametrize("place", range(1, CALLS + 1))
@pytest.mark.parametrize("damage", ["none", "emptied", "immutable-wrong", "deleted"])
def test_a_password_that_changes_in_the_middle_of_a_repair_stays(
    store: KubernetesStore,
    empty: Cluster,
    front: OlderRule,
    damage: str,
    place: int,
) -> None:
    """The change comes before each call of the repair in turn."""
    made = store.create(Draft(KEY, "harbor.example.com", "robot$ci", Provider.OTHER, OLD))
    if damage != "none":
        DAMAGES[damage](empty, KEY)
    calls: list[str] = []

    def asking(method: str, path: str) -> None:
        calls.append(method)
        if len(calls) == place:
            store.set_password(KEY, NEW, uid=made.uid)

    front.asking = asking
    repairing = PullSecrets(empty.connection("console", port=front.port, ca_file=front.ca_file))
    state = repairing.ensure(KEY)

    if len(calls) < place:
        store.set_password(KEY, NEW, uid=made.uid)
    assert state is PullSecret.READY
    assert passwords(secret_on(empty)) == {NEW}
    assert empty.server.call("GET", registry(KEY)).body["metadata"]["uid"] == made.uid
    assert empty.server.call("GET", secret(KEY)).body["metadata"].get("immutable") is None
