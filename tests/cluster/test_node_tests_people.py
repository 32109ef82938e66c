"""The dialog of a test from a node: for whom it is, and what it says of a refusal."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from registries import wiring
from registries.cluster.paths import NODES, pods_in
from tests.canary import CANARY
from tests.cluster.people import CAST, log_in
from tests.peers.cluster import Cluster
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.people",)
PAGE = "/registries/team-a/harbor-prod/node/"
TYPED = {"node": "edge-07", "repository": "project/app"}
HTMX = {"HX-Request": "true", "Accept-Language": "en"}


@pytest.fixture
def place(people: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """No work for later is left over for other tests."""
    monkeypatch.setattr(wiring, "later", lambda seconds, work: None)
    people.apply("team-a", "harbor-prod", password=CANARY)
    yield people
    people.server.call("DELETE", f"{pods_in('team-a')}?gracePeriodSeconds=0")


def pods(place: Cluster) -> list[Any]:
    return list(place.server.call("GET", pods_in("team-a")).body["items"])


def test_the_cast(place: Cluster) -> None:
    """Without the role, nobody sees the button, and nobody makes a Pod."""
    clients = {name: log_in(user, **HTMX) for name, user in CAST.items()}
    assert wait_for(lambda: clients["vic"].get("/registries/team-a/harbor-prod/").status_code == 200)
    links = {name: it.get(PAGE, {"link": "1"}).content for name, it in clients.items()}
    posted = {name: it.post(PAGE, TYPED).status_code for name, it in clients.items()}

    assert set(links.values()) == {b""}
    assert posted == {"olive": 422, "nina": 422, "omar": 422, "vic": 403, "sam": 404}
    assert "image-prober" in clients["omar"].post(PAGE, TYPED).content.decode()
    assert pods(place) == []

    for user in ("omar", "vic"):
        place.bind(user, "image-prober", "team-a")
    try:
        shown = {
            name: b"node-test-link" in it.get(PAGE, {"link": "1"}).content for name, it in clients.items()
        }
        begun = clients["omar"].post(PAGE, TYPED)
        refused = clients["vic"].post(PAGE, TYPED).status_code
    finally:
        for user in ("omar", "vic"):
            place.unbind(user, "image-prober", "team-a")
    assert {name for name, it in shown.items() if it} == {"omar"}
    assert (begun.status_code, refused) == (200, 403)
    assert 'id="node-verdict"' in begun.content.decode()
    assert len(pods(place)) == 2


def test_the_images_of_pods_are_offered_as_repositories(place: Cluster) -> None:
    spec = {"containers": [{"name": "c", "image": "h.example.com/shop/web:1"}]}
    place.server.call("POST", pods_in("team-a"), {"metadata": {"name": "web"}, "spec": spec})
    client = log_in("team-a-admin", **HTMX)

    assert wait_for(lambda: client.get(PAGE).status_code == 200)
    assert wait_for(lambda: 'value="shop/web"' in client.get(PAGE).content.decode())


def test_one_node_of_each_group_is_a_choice_of_who_may_list_nodes(place: Cluster) -> None:
    for name, pool in (("edge-1", "east"), ("edge-2", "east"), ("edge-3", "west")):
        labels = {"apps.openyurt.io/nodepool": pool, "kubernetes.io/arch": "arm64"}
        place.server.call("POST", NODES, {"metadata": {"name": name, "labels": labels}})
    place.bind("omar", "image-prober", "team-a")
    try:
        client = log_in("omar", **HTMX)
        assert wait_for(lambda: client.get(PAGE).status_code == 200)
        assert 'name="scope"' not in client.get(PAGE).content.decode()
        one = client.post(PAGE, {**TYPED, "scope": "groups", "groups": ["edge-1"]}).content.decode()
        place.bind("omar", "image-prober")
        assert wait_for(lambda: 'value="edge-3"' in client.get(PAGE).content.decode())
        shown = client.get(PAGE).content.decode()
        none = client.post(PAGE, {"scope": "groups", "repository": "project/app"})
        begun = client.post(PAGE, {"scope": "groups", "groups": ["edge-1", "edge-3"], "repository": "a/b"})
        urls = re.findall(r'hx-get="([^"]+\?several)"', begun.content.decode())
        looks = [client.get(it).content.decode() for it in urls]
    finally:
        place.unbind("omar", "image-prober")
        place.unbind("omar", "image-prober", "team-a")
        for number in (1, 2, 3):
            place.server.call("DELETE", f"{NODES}/edge-{number}")
    assert "edge-07" in one, "without the list of nodes, only the one that was typed"
    assert re.findall(r'name="groups" value="([^"]+)"', shown) == ["edge-1", "edge-3"]
    assert "east · arm64" in shown
    assert none.status_code == 422
    assert 'id="id_groups_error"' in none.content.decode()
    assert [name for it in looks for name in ("edge-1", "edge-3") if name in it] == ["edge-1", "edge-3"]
    assert "控制台<" not in "".join(looks), "the verdict of the console stands beside all of them"
    assert begun.content.decode().count("<strong>控制台</strong>") == 1


def test_what_is_wrong_is_said_at_its_field(place: Cluster) -> None:
    place.bind("omar", "image-prober", "team-a")
    try:
        client = log_in("omar", **HTMX)
        assert wait_for(lambda: client.get("/registries/team-a/harbor-prod/").status_code == 200)
        for typed, field in (
            ({"node": ""}, "node"),
            ({"node": "a/../b"}, "node"),
            ({"repository": ""}, "repository"),
            ({"repository": "a:1"}, "repository"),
        ):
            answer = client.post(PAGE, TYPED | typed)
            assert answer.status_code == 422
            assert f'href="#id_{field}"' in answer.content.decode(), typed
        assert client.get(f"{PAGE}{'0' * 16}/").status_code == 200
        assert client.get(f"{PAGE}a,b/").status_code == 404
        assert client.get(f"{PAGE}abc/").status_code == 404
    finally:
        place.unbind("omar", "image-prober", "team-a")
    assert pods(place) == []
