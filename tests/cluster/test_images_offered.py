"""The images that pods run, offered in the add dialog, in the API and to `manage.py verify`, on a real API server."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from registries.cluster.paths import pods_in
from registries.wiring import services
from tests.api.test_api import TEAM_A, post
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.test_pages import configured
from tests.cluster.users import HARBOR, make, pod_spec
from tests.peers.cluster import Cluster
from tests.peers.docker_registry import docker_registry
from tests.peers.images import push, single
from tests.peers.scripted import basic, wait_for
from tests.processes.test_verify_images import verify

pytest_plugins = ("tests.cluster.users",)

CHOICES = "/registries/-/add/images/"
USER = "robot"
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry"), users={USER: CANARY}) as host:
        push(f"http://{host}", "shop/web", "1", single("linux/amd64"), basic(USER, CANARY))
        yield host


@pytest.fixture
def people(place: Cluster, settings: Any, cast: Cast) -> Iterator[Cast]:
    """The cast, with accounts of the console, on this cluster."""
    settings.PROBE_ALLOW_LOOPBACK = True
    for _ in configured(place, settings):
        yield cast
    for namespace in ("team-a", "team-b"):
        place.server.call("DELETE", f"{pods_in(namespace)}?gracePeriodSeconds=0")


def offered(people: Cast, domain: str, person: str = "nina", namespace: str = "team-a") -> list[str]:
    shown = people.client(person).get(CHOICES, {"namespace": namespace, "domain": domain})
    assert shown.status_code == 200
    buttons = r'<button type="button" [^>]*value="([^"]+)" data-fills="id_probe_image">'
    return [html.unescape(it) for it in re.findall(buttons, shown.content.decode())]


def test_the_add_dialog_offers_the_images_of_the_typed_host_alone(people: Cast, place: Cluster) -> None:
    make(place, "Pod", "a", pod_spec(f"{HARBOR}/shop/web:1"))
    make(place, "Pod", "b", pod_spec(f"{HARBOR}:443/shop/api:2"))
    make(place, "Pod", "c", pod_spec("nginx"))
    make(place, "Pod", "d", pod_spec(f"{HARBOR}/of/others:1"), namespace="team-b")

    assert offered(people, HARBOR) == [f"{HARBOR}/shop/web:1", f"{HARBOR}:443/shop/api:2"]
    assert offered(people, f" https://{HARBOR.upper()}/ ") == offered(people, HARBOR)
    assert offered(people, "docker.io") == ["nginx"]
    assert offered(people, f"http://{HARBOR}") == [f"{HARBOR}/shop/web:1"], "443 is not the port of http"
    for nothing in ("", "a b", "harbor", "nginx", "*", f"{HARBOR}/shop"):
        assert len(offered(people, nothing)) == (2 if nothing.startswith(HARBOR) else 0), nothing
    assert 'id="add-images"' in people.client("nina").get("/registries/-/add/").content.decode()


def test_the_api_lists_them_and_verify_takes_one(people: Cast, place: Cluster, host: str) -> None:
    people.add("harbor-prod", domain=f"http://{host}", username=USER, password=CANARY)
    make(place, "Pod", "a", pod_spec(f"{host}/shop/web:1"))
    make(place, "Pod", "b", pod_spec(f"{HARBOR}/shop/web:2"))
    client = people.api("omar")

    found = client.get(f"{TEAM_A}/harbor-prod/images").json()
    typed = client.get(f"{TEAM_A}/not-there-yet/images", {"domain": HARBOR}).json()
    missing = client.get(f"{TEAM_A}/not-there-yet/images")
    verdict = post(client, f"{TEAM_A}/harbor-prod/verify", found["items"][0])

    assert found["items"] == [{"image": f"{host}/shop/web:1"}]
    assert (found["kind"], found["totalItems"], found["listed"]) == ("ImageList", 1, True)
    assert typed["items"] == [{"image": f"{HARBOR}/shop/web:2"}]
    assert missing.status_code == 404
    assert verdict.json()["image"]["ok"] is True


@contextmanager
def without_rights(place: Cluster) -> Iterator[None]:
    """The console may list no pods, and the authorizer knows."""
    place.revoke_console()
    try:
        assert wait_for(lambda: not place.allows("console", PODS, "team-a"))
        yield
    finally:
        place.grant_console()


def test_where_pods_cannot_be_listed_it_is_said(people: Cast, place: Cluster, host: str) -> None:
    people.add("harbor-prod", domain=f"http://{host}", username=USER, password=CANARY)
    services().index.fresh()
    make(place, "Pod", "a", pod_spec(f"{host}/shop/web:1"))
    with without_rights(place):
        found = people.api("omar").get(f"{TEAM_A}/harbor-prod/images").json()
        assert (found["items"], found["listed"]) == ([], False)
        assert offered(people, host) == []


def test_the_command_looks_at_the_images_that_pods_run(
    people: Cast, place: Cluster, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    people.add("used", domain=f"http://{host}", username=USER, password=CANARY)
    people.add("unused", domain=HARBOR)
    assert verify(capsys, "--running-images") == (0, "None of these registries has an image that pods run.\n")
    make(place, "Pod", "a", pod_spec(f"{host}/shop/web:1"))

    status, out = verify(capsys, "--running-images")
    assert (status, "1 images: 1 can be pulled, 0 cannot, 0 unknown" in out) == (0, True), out
    assert "1 registries: 1 connected" in out

    make(place, "Pod", "b", pod_spec(f"{host}/shop/web:gone"))
    make(place, "Pod", "c", pod_spec(f"{host}/shop/none"))
    status, out = verify(capsys, "--running-images", "--name", "used")
    assert (status, "3 images: 1 can be pulled, 2 cannot, 0 unknown" in out) == (1, True), out
    assert f"  team-a/used  {host}/shop/web:gone  image_tag_missing  " in out
    assert people.find("used").verification.reason == "ok"


def test_the_command_says_which_pods_it_may_not_list(
    people: Cast, place: Cluster, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    people.add("used", domain=f"http://{host}", username=USER, password=CANARY)
    services().index.fresh()
    with without_rights(place):
        status, out = verify(capsys, "--running-images")

    assert status == 1
    assert "The pods of these namespaces could not be listed: team-a" in out


def test_two_questions_at_once_are_wrong_usage(people: Cast) -> None:
    with pytest.raises(CommandError) as error:
        call_command("verify", "--running-images", "--image")
    assert error.value.returncode == 2
