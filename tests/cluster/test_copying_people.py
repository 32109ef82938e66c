"""复制到… by a person of the cluster: as the person, and no more than RBAC allows."""

import re

import pytest

from registries.domain.registry import RegistrySecret
from registries.intake import read_draft
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import typed
from tests.cluster.people import access_of, log_in
from tests.cluster.test_copying import done
from tests.peers.cluster import Cluster
from tests.web.copies import PLAN, plan

pytest_plugins = ("tests.cluster.people",)
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_person_of_the_cluster_copies_where_rbac_allows_both(people: Cluster) -> None:
    people.bind("team-a-admin", "image-admin", "team-b")
    try:
        source = added("team-a-admin", "team-a")
        client = log_in("team-a-admin", hx_request="true")
        shown, start = plan(client, [source], "team-b")
        told = done(client, start)
        assert "已创建 1 / 1" in told
        managers = people.server.call("GET", f"{people.path('team-b')}/harbor-prod").body["metadata"]
        assert managers["annotations"]["theriseunion.io/copied-from"] == "team-a/harbor-prod"
    finally:
        people.unbind("team-a-admin", "image-admin", "team-b")
    assert CANARY not in shown + told


@pytest.mark.parametrize("user", ["omar", "vic", "stranger"])
def test_a_person_of_the_cluster_without_rights_at_the_source_copies_nothing(
    people: Cluster, user: str
) -> None:
    people.bind(user, "image-admin", "team-b")
    try:
        source = added("olive", "team-a")
        client = log_in(user, hx_request="true")
        response = client.post(PLAN, {"uids": source.uid, "namespaces": ["team-b"]})
        assert not re.search(r"/start/", response.content.decode())
    finally:
        people.unbind(user, "image-admin", "team-b")
    assert not people.server.call("GET", people.path("team-b")).body["items"]


def added(user: str, namespace: str) -> RegistrySecret:
    draft = read_draft(typed(namespace=namespace))
    return services().registries.create(access=access_of(user), draft=draft)


def test_people_of_a_cluster_are_offered_no_rule(people: Cluster) -> None:
    added("olive", "team-a")
    client, page = log_in("olive", hx_request="true"), "/registries/team-a/harbor-prod/"

    assert f"{page}sync/" not in log_in("olive").get(page).content.decode()
    assert not client.get(f"{page}sync/").content
    for path in ("edit/", "off/", "solve/team-b/"):
        assert client.get(f"{page}sync/{path}").status_code == 404
        assert client.post(f"{page}sync/{path}", {"scope": "all", "step": "save"}).status_code == 404
    assert not services().sync_rules.available
