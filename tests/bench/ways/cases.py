"""The ways that `make ways` traces: each is done twice, and the second time is traced, without imports."""

import re
from typing import Any

from django.test import Client

from tests.api.test_api import TEAM_A, body, post
from tests.bench.ways import report
from tests.cast import Cast, Probing, typed
from tests.cluster.bearers import of
from tests.peers.cluster import Cluster

pytest_plugins = ("tests.cluster.people",)


def follow(client: Client, shown: str, pattern: str) -> None:
    """Ask once more where the page says so, as it does while a test or a run is under way."""
    if found := re.search(rf'hx-get="({pattern})"', shown):
        assert client.get(found[1]).status_code == 200


def test_list(cast: Cast) -> None:
    for number in range(3):
        cast.add(f"registry-{number}")
    client = cast.client("nina")
    client.get("/registries/")
    cast.add("registry-new")
    client.get("/registries/-/pulse/")  # the index has read it; nobody has drawn its row

    with report.way("list page"):
        assert "registry-new" in client.get("/registries/").content.decode()


def test_try(cast: Cast, probing: Probing) -> None:
    client = cast.client("nina", hx_request="true")
    values = typed(**probing("harbor"))

    def attempt() -> None:
        response = client.post("/registries/-/try/", values)
        assert response.status_code == 200
        follow(client, response.content.decode(), "/registries/-/try/[^/]+/")

    attempt()
    with report.way("try in the add dialog"):
        attempt()


def test_test_one(cast: Cast, probing: Probing) -> None:
    client = cast.client("omar", hx_request="true")
    for name in ("warm", "traced"):
        cast.add(name, **probing("harbor"))

    def test(name: str) -> None:
        assert client.post(f"/registries/team-a/{name}/verify/").status_code == 200
        assert client.get(f"/registries/team-a/{name}/row/").status_code == 200

    test("warm")
    with report.way("test one"):
        test("traced")


def test_delete_many(cast: Cast) -> None:
    client = cast.client("nina", hx_request="true")

    def delete(uids: list[str]) -> None:
        shown = client.post("/registries/-/batch-delete/", {"uids": "\n".join(uids)}).content.decode()
        start = re.search(r'hx-post="([^"]+/start/)"', shown)
        assert start
        response = client.post(start[1], {"count": str(len(uids))})
        assert response.status_code == 200
        assert client.get(start[1].removesuffix("start/")).status_code == 200

    delete([cast.add("warm-0").uid, cast.add("warm-1").uid])
    uids = [cast.add("a").uid, cast.add("b").uid]
    client.get("/registries/-/pulse/")
    with report.way("delete many"):
        delete(uids)


def create(client: Client) -> None:
    assert post(client, TEAM_A, body("warm")).status_code == 201


def test_api_create(cast: Cast) -> None:
    client = cast.api("nina")
    create(client)
    with report.way("API create, embedded"):
        assert post(client, TEAM_A, body("traced")).status_code == 201


def test_api_create_on_a_cluster(people: Cluster, cast: Any) -> None:
    client = of("team-a-admin")
    create(client)
    with report.way("API create, cluster"):
        assert post(client, TEAM_A, body("traced")).status_code == 201
