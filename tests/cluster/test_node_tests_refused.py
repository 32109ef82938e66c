"""What the rules of a cluster do to a test from a node: a quota, a LimitRange, a webhook that changes Pods."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from registries.domain.errors import (
    ConsoleError,
    Problem,
    Refused,
)
from registries.models import ApiBucket, AuditEntry
from registries.pull_secrets.node_test import (
    LABEL,
    Outcome,
)
from tests.cluster.node_desk import PODS, Desk, pods
from tests.peers.admission import mirrored
from tests.peers.api_server import ApiServer
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.users", "tests.cluster.node_desk")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("added")]


@pytest.mark.parametrize(
    "image", ["harbor.example.com/project/app:1", "quay.io/project/app:console-test-{test}", "x"]
)
def test_a_pod_that_asks_for_another_image_proves_nothing(desk: Desk, place: Cluster, image: str) -> None:
    test = desk.begin()
    waiting = {"reason": "ErrImagePull", "message": "failed to pull: not found"}
    for it in pods(place):
        path = f"{PODS}/{it['metadata']['name']}"
        container = {"name": "test", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
        denied = {**waiting, "message": "401 Unauthorized"} if path.endswith("-control") else waiting
        status = {"containerStatuses": [{**container, "state": {"waiting": denied}}]}
        place.server.call("PATCH", f"{path}/status", {"status": status}, kind=MERGE_PATCH)
        change = [
            {
                "op": "replace",
                "path": "/spec/containers/0/image",
                "value": image.format(test=test),
            }
        ]
        answer = place.server.call("PATCH", path, change, kind="application/json-patch+json")
        assert answer.status == 200

    assert desk.look(test).outcome is Outcome.CHANGED
    assert pods(place) == []


def test_a_webhook_that_gives_pods_a_mirror_is_named(desk: Desk, place: Cluster, tmp_path: Path) -> None:
    server: ApiServer = place.server  # type: ignore[assignment]
    with mirrored(server, "team-a", tmp_path, "mirror.corp.example"):
        test = desk.begin()
        found = desk.look(test)
        assert found.outcome is Outcome.CHANGED
        assert found.pod
        assert found.pod.image.startswith("mirror.corp.example/")
        assert pods(place) == []
    with mirrored(server, "team-a", tmp_path, "mirror.corp.example", exempt=LABEL):
        assert desk.look(desk.begin()).outcome is Outcome.WAITING


def test_a_quota_refuses_both_pods(desk: Desk, place: Cluster) -> None:
    """The first Pod fits."""
    quotas, hard = "/api/v1/namespaces/team-a/resourcequotas", {"pods": "1"}
    made = {"metadata": {"name": "few"}, "spec": {"hard": hard}}
    assert place.server.call("POST", quotas, made).status == 201
    try:
        status = {"status": {"hard": hard, "used": {"pods": "0"}}}
        place.server.call("PATCH", f"{quotas}/few/status", status, kind=MERGE_PATCH)
        found: list[ConsoleError] = []
        assert wait_for(lambda: _raised(desk, found) == Problem.QUOTA_EXCEEDED), found
    finally:
        place.server.call("DELETE", f"{quotas}/few")
    assert isinstance(found[-1], Refused)
    assert pods(place) == []
    assert not ApiBucket.objects.filter(caller__startswith="node tests").exists()


def test_a_rule_of_the_cluster_refuses(desk: Desk, place: Cluster) -> None:
    with limit_range(place, {"type": "Pod", "max": {"memory": "1Mi"}}):
        found: list[ConsoleError] = []
        assert wait_for(lambda: _raised(desk, found) == Problem.CLUSTER_REFUSED), found
    assert pods(place) == []
    assert AuditEntry.objects.filter(action="node_test", outcome="refused").exists()


@pytest.mark.parametrize(
    "limit",
    [
        {"min": {"memory": "64Mi", "cpu": "50m"}},
        {
            "min": {"memory": "32Mi"},
            "defaultRequest": {"memory": "64Mi"},
            "default": {"memory": "1Gi"},
        },
    ],
)
def test_a_namespace_with_a_least_size_chooses_it(desk: Desk, place: Cluster, limit: dict[str, Any]) -> None:
    with limit_range(place, {"type": "Container", **limit}):

        def sizes() -> set[str]:
            """Admission learns of a new rule a moment later."""
            desk.begin()
            containers = [pod["spec"]["containers"][0] for pod in pods(place)]
            desk.later.pop()()
            return {it["resources"]["requests"]["memory"] for it in containers}

        assert wait_for(lambda: sizes() == {"64Mi"})
    assert pods(place) == []


@contextmanager
def limit_range(place: Cluster, limit: dict[str, Any]) -> Iterator[None]:
    ranges = "/api/v1/namespaces/team-a/limitranges"
    made = {"metadata": {"name": "sizes"}, "spec": {"limits": [limit]}}
    assert place.server.call("POST", ranges, made).status == 201
    try:
        yield
    finally:
        place.server.call("DELETE", f"{ranges}/sizes")


def _raised(desk: Desk, found: list[ConsoleError]) -> Problem | None:
    """The problem of one try. Admission learns of a new rule a moment later."""
    try:
        desk.look(desk.begin())
    except ConsoleError as error:
        found.append(error)
        return error.problem
    desk.later.pop()()
    return None
