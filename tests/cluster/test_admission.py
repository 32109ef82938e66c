"""What a cluster refuses for another reason than a missing role: a quota, a webhook, a policy. It is a 403 that names
the kind of reason and what to do; never a role, never the server's own words. Of people of the cluster:
test_cluster_roles.py.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registries.cluster.failures import refusal
from registries.domain.errors import ConsoleError, Forbidden, Refused, Unavailable
from registries.domain.registry import Draft, Key, Provider
from registries.models import AuditEntry
from registries.runs.execution import item_problem
from registries.stores.cluster.store import KubernetesStore
from tests import canary
from tests.api.test_api import TEAM_A, body, post
from tests.cast import Cast, typed
from tests.cluster.test_pages import configured
from tests.peers.admission import WORDS, denied, used_up
from tests.peers.api_server import ApiServer
from tests.peers.cluster import Cluster

KEY = Key("team-a", "harbor-prod")


@pytest.fixture
def people(
    server: ApiServer, cluster: Cluster, settings: Any, request: pytest.FixtureRequest, db: None
) -> Iterator[Cast]:
    cluster.empty("team-a", "team-b")
    for _ in configured(cluster, settings):
        yield request.getfixturevalue("cast")


def test_a_quota_that_is_used_up_is_no_missing_role_and_no_failure(people: Cast, server: ApiServer) -> None:
    with used_up(server, "team-a"):
        told = post(people.api("nina"), TEAM_A, body())
        page = people.client("nina").post("/registries/-/add/", typed())

    found = told.json()
    assert (told.status_code, found["reason"]) == (403, "Forbidden")
    assert "quota" in found["message"]
    assert "role" not in found["message"]
    [cause] = found["details"]["causes"]
    assert cause["reason"] == "QuotaExceeded"
    assert "配额已用完" in cause["message"]
    assert "none-more" not in told.content.decode(), "the server's words"
    assert page.status_code == 422
    assert "配额已用完" in page.content.decode()
    outcomes = {it.outcome for it in AuditEntry.objects.filter(action="create")}
    assert outcomes == {"refused"}


@pytest.mark.parametrize("code", [0, 400, 401, 403, 404, 409, 422])
def test_what_a_webhook_denies_is_a_rule_of_the_cluster_whatever_its_status(
    people: Cast, server: ApiServer, tmp_path: Path, code: int
) -> None:
    client = people.api("nina")
    with denied(server, "team-a", tmp_path, code):
        told = client.post(TEAM_A, body(), content_type="application/json", headers={"accept-language": "en"})
        page = people.client("nina").post("/registries/-/add/", typed())

    [cause] = told.json()["details"]["causes"]
    assert (told.status_code, cause["reason"]) == (403, "ClusterRefused")
    assert cause["message"].startswith("The cluster refused this.")
    assert "集群拒绝了这一操作" in page.content.decode()
    for answer in (told, page):
        assert WORDS not in answer.content.decode()
    assert post(client, TEAM_A, body()).status_code == 201


def test_a_missing_role_is_still_one(cluster: Cluster, server: ApiServer) -> None:
    """RBAC is asked before admission is."""
    cluster.empty("team-a")
    draft = Draft(KEY, "h.example.com", "u", Provider.OTHER, canary.CANARY)
    with used_up(server, "team-a"), cluster.store("stranger") as store:
        error = raised_by(store, draft)

    assert isinstance(error, Unavailable)
    assert error.problem == "cluster_forbidden"


def raised_by(store: KubernetesStore, draft: Draft) -> ConsoleError:
    with pytest.raises(ConsoleError) as caught:
        store.create(draft)
    return caught.value


NAMED = 'registrysecrets.image.theriseunion.io "harbor-prod" is forbidden: '


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (403, NAMED + 'exceeded quota: User "x" cannot, requested: count/x=1', "quota_exceeded"),
        (403, NAMED + "insufficient quota to match these scopes", "quota_exceeded"),
        (403, NAMED + "violates PodSecurity", "cluster_refused"),
        (422, NAMED + "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: x", "cluster_refused"),
        (401, NAMED + "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: x", "cluster_refused"),
        (400, 'admission webhook "h" denied the request: forbidden: User "x" cannot', "cluster_refused"),
        (403, NAMED + 'User "quota" cannot create resource "registrysecrets"', "cluster_forbidden"),
        (403, 'forbidden: User "x" cannot get path "/exceeded quota"', "cluster_forbidden"),
        (403, "no", "cluster_forbidden"),
        (401, "Unauthorized", "cluster_token"),
        (403, NAMED + "status unknown for quota: none-more", "cluster_failed"),
        (403, NAMED + "not yet ready to handle request", "cluster_failed"),
        (500, 'Internal error occurred: failed calling webhook "h"', "cluster_failed"),
        (503, 'admission webhook "h" denied the request', "cluster_failed"),
    ],
)
def test_who_refused_is_told_by_how_the_words_begin(status: int, message: str, expected: str) -> None:
    document = {"kind": "Status", "reason": "Forbidden", "message": message}

    error = refusal(status, json.dumps(document).encode(), {}, str(KEY))

    assert isinstance(error, ConsoleError)
    assert error.problem == expected
    assert isinstance(error, Refused) == (expected in ("quota_exceeded", "cluster_refused"))
    assert getattr(error, "passing", False) == (expected == "cluster_failed")


def test_an_item_of_a_run_keeps_what_refused_it(cast: Cast) -> None:
    access = cast.access("nina")

    assert item_problem(Refused(str(KEY), "cluster_refused"), access, "team-a") == "cluster_refused"
    assert item_problem(Forbidden(str(KEY), "image-admin"), access, "team-a") == "Forbidden"
