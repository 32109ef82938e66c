"""The console of a cluster whose people log in with its credentials: the fixtures and words that its tests share.

A plugin of pytest, for the test files that name it. Against a real API server with RBAC; every token and key that is
typed is a canary.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from registries import wiring
from registries.cluster.reviews import REVIEW
from registries.domain.access import Access
from registries.models import ClusterSession
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster, patience
from tests.peers.scripted import wait_for

LIST = "/registries/"
ROLES = {
    "olive": ("image-admin", ""),
    "team-a-admin": ("image-admin", "team-a"),
    "omar": ("image-operator", "team-a"),
    "vic": ("image-viewer", "team-a"),
}
CAST = {"olive": "olive", "nina": "team-a-admin", "omar": "omar", "vic": "vic", "sam": "stranger"}
"""The names of the cast on this cluster."""
READER: dict[str, Any] = {
    "metadata": {"name": "reader-of-registries"},
    "rules": [
        {
            "apiGroups": ["image.theriseunion.io"],
            "resources": ["registrysecrets"],
            "verbs": ["get", "list", "watch"],
        },
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {"nonResourceURLs": ["/apis/image.theriseunion.io/v1alpha1"], "verbs": ["get"]},
    ],
}


@pytest.fixture(scope="module")
def bound(server: ApiServer, cluster: Cluster) -> Iterator[Cluster]:
    """The cast has its roles; the console itself may only read, so that whatever is written is by somebody."""
    cluster.empty("team-a", "team-b")
    server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", READER)
    cluster.bind("console", "reader-of-registries")
    cluster.revoke_console()
    write = {**READER["rules"][0], "verbs": ["create"]}
    assert wait_for(lambda: not cluster.allows("console", write))
    assert wait_for(lambda: all(cluster.allows("console", rule) for rule in READER["rules"]))
    for user, (role, namespace) in ROLES.items():
        cluster.bind(user, role, namespace)
    yield cluster
    cluster.grant_console()
    cluster.unbind("console", "reader-of-registries")
    for user, (role, namespace) in ROLES.items():
        cluster.unbind(user, role, namespace)
    read = {**READER["rules"][0], "verbs": ["list"]}
    for user, (_, namespace) in ROLES.items():
        assert wait_for(lambda: not cluster.allows(user, read, namespace))  # noqa: B023


@pytest.fixture
def people(bound: Cluster, server: ApiServer, cable: Cable, settings: Any, db: None) -> Iterator[Cluster]:
    """The console of a cluster whose people log in with its credentials, and whose word is never old."""
    bound.empty("team-a", "team-b")
    settings.STORE = settings.AUTH = "kubernetes"
    settings.KUBECONFIG = str(server.kubeconfig("console", port=cable.port))
    settings.ACCESS_SECONDS = 0.0
    settings.AUTHENTICATION_BACKENDS = [
        "axes.backends.AxesStandaloneBackend",
        "registries.log_in.backend.ClusterBackend",
    ]
    wiring.reset()
    with patience():
        store = services().store
        yield bound
    assert isinstance(store, KubernetesStore)
    store.stop()
    settings.AUTH, settings.STORE = "local", "embedded"
    wiring.reset()


def log_in(user: str, **headers: str) -> Client:
    client = Client(headers=headers)
    response = client.post("/login/", {"token": canary_token(user)})
    assert response.status_code in (302, 204), response.content.decode()
    return client


def of_the_cluster(server: ApiServer) -> dict[str, str]:
    """The CA in people's kubeconfigs, by which the console knows its own server under another address: it goes
    through a cable here."""
    return {"certificate-authority-data": base64.b64encode(server.ca_file.read_bytes()).decode()}


def text(client: Client, path: str = LIST) -> str:
    return client.get(path).content.decode()


def access_of(user: str) -> Access:
    """As a request has it that outlives itself."""
    log_in(user)
    session = services().cluster_sessions.find(ClusterSession.objects.latest("pk").pk)
    assert session
    return services().people.access_of(session, "127.0.0.1")


def said(response: Any) -> str:
    found = re.search(r'id="error-summary".*?<p>(.*?)</p>', response.content.decode(), re.DOTALL)
    return found[1] if found else ""


def is_answered(people: Cluster) -> bool:
    body = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    return people.server.call("POST", REVIEW, body, user="team-a-admin").status == 201


def may(people: Cluster, user: str, namespace: str) -> bool:
    return people.server.call("GET", people.path(namespace), user=user).status == 200
