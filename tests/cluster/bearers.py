"""Programs that show a bearer token of the cluster, as the tests of the API and of /metrics make them.

A plugin of pytest, for the test files that name it, beside cluster_people.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from registries import limits
from registries.models import ApiBucket
from registries.wiring import services
from tests.api.test_api import TEAM_A
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

TEAM_B = TEAM_A.replace("team-a", "team-b")
ACCOUNTS = "/api/v1/namespaces/team-a/serviceaccounts"
durations = itertools.count(1000)


def bearing(token: str, **headers: str) -> Client:
    """A program: it holds no cookie, and CSRF is checked as it really is."""
    return Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {token}", **headers})


def of(user: str) -> Client:
    return bearing(canary_token(user))


def account(server: ApiServer, name: str) -> str:
    """A token of a new service account."""
    server.call("DELETE", f"{ACCOUNTS}/{name}")
    server.call("POST", ACCOUNTS, {"metadata": {"name": name}})
    return another(server, name)


def another(server: ApiServer, name: str) -> str:
    """One more token of a service account; those of the same second and duration would be the same."""
    spec = {"expirationSeconds": next(durations)}
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return str(server.call("POST", f"{ACCOUNTS}/{name}/token", asked).body["status"]["token"])


def name_of(account: str) -> str:
    return f"system:serviceaccount:team-a:{account}"


def takes(server: ApiServer, token: str) -> bool:
    """Whether the API server itself does; it believes a token for ten seconds."""
    return server.call("GET", "/version", token=token).status == 200


def believed_for(settings: Any, seconds: float) -> None:
    settings.ACCESS_SECONDS = seconds
    vars(services()).pop("cluster_tokens", None)


def limited_to(settings: Any, monkeypatch: pytest.MonkeyPatch, rate: int) -> None:
    """Requests a minute, which lasts for hours here, and nobody has asked yet."""
    settings.API_RATE = rate
    monkeypatch.setattr(limits, "MINUTE", 600 * limits.MINUTE)
    vars(services()).pop("api_rates", None)
    ApiBucket.objects.all().delete()


@pytest.fixture
def robot(people: Cluster, server: ApiServer) -> Iterator[str]:
    """A token of a service account that is image-admin in team-a."""
    token = account(server, "robot")
    people.bind(name_of("robot"), "image-admin", "team-a")
    assert wait_for(lambda: bearing(token).get(TEAM_A).status_code == 200)
    yield token
    people.unbind(name_of("robot"), "image-admin", "team-a")
