"""Pods that cannot pull, for people of the cluster: each sees what the API server lets this person list."""

from django.test import Client

from registries.cluster.paths import pods_in
from tests.cluster.people import CAST, log_in
from tests.cluster.test_pull_failures import PAGE
from tests.peers.cluster import Cluster
from tests.peers.failing_pods import fails

pytest_plugins = ("tests.cluster.people",)


def test_the_cast(people: Cluster) -> None:
    for namespace in ("team-a", "team-b"):
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        people.server.call("POST", accounts, {"metadata": {"name": "default"}})
        fails(people, f"pod-of-{namespace}", namespace=namespace)
    try:
        pages = {name: log_in(user).get(PAGE).content.decode() for name, user in CAST.items()}
        assert Client().get(PAGE).status_code == 302
    finally:
        for namespace in ("team-a", "team-b"):
            people.server.call("DELETE", f"{pods_in(namespace)}/pod-of-{namespace}?gracePeriodSeconds=0")

    seen = {
        name: [it for it in ("team-a", "team-b") if f"pod-of-{it}" in page] for name, page in pages.items()
    }
    assert seen == {"olive": ["team-a", "team-b"], "nina": ["team-a"], "omar": [], "vic": [], "sam": []}
    assert {name for name, page in pages.items() if 'id="unread"' in page} == {"omar", "vic"}
    assert "team-b" not in "".join(pages[name] for name in ("nina", "omar", "vic", "sam"))
