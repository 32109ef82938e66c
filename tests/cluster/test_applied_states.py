"""States that only kubectl brings about: a registry that is being deleted, and an address that cannot be parsed."""

import base64
import json
import re
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from registries.cluster.paths import secrets_in
from registries.domain.errors import AlreadyExists, Conflict, Problem
from registries.domain.registry import Key
from registries.domain.resource import PREFIX
from registries.intake import read_draft
from registries.models import CheckInterval, Silence
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.secret import DATA
from registries.wiring import services
from tests.api.runs import RUNS
from tests.api.test_api import TEAM_A, notes, patch, post
from tests.cast import Cast, typed
from tests.cluster.test_pages import LIST, configured
from tests.peers.cluster import MERGE_PATCH, Cluster
from tests.peers.scripted import wait_for

HELD = "/registries/team-a/held/"
SILENCE = "/channels/-/silences/add/"
HOLDERS = ["example.com/keep", "example.org/audit"]


def in_english(people: Cast, person: str) -> Client:
    client = people.client(person)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def people(cluster: Cluster, settings: object, cast: Cast) -> Iterator[Cast]:
    cluster.empty("team-a")
    for _ in configured(cluster, settings):
        yield cast


@pytest.fixture
def held(people: Cast, cluster: Cluster) -> Iterator[Cast]:
    """A registry with two finalizers, deleted in the console."""
    registry = people.add("held", domain="127.0.0.1:1")
    path = cluster.path("team-a", "held")
    cluster.server.call("PATCH", path, {"metadata": {"finalizers": HOLDERS}}, kind=MERGE_PATCH)
    try:
        deleted = people.client("nina").post(
            f"{HELD}delete/", {"confirm": "held", "uid": registry.uid}, headers={"HX-Request": "true"}
        )
        assert deleted.status_code == 204
        assert all(it in json.dumps(dict(deleted.headers)) for it in HOLDERS), "the toast names what holds it"
        yield people
    finally:
        cluster.server.call("PATCH", path, {"metadata": {"finalizers": None}}, kind=MERGE_PATCH)


def test_one_that_is_being_deleted_says_so_and_takes_nothing_but_its_deletion(held: Cast) -> None:
    nina, english = held.client("nina"), in_english(held, "nina")
    for page in (LIST, HELD):
        shown = english.get(page).content.decode()
        assert "Being deleted" in shown
        assert f"Finalizers hold the registry: {', '.join(HOLDERS)}" in shown
        assert "、".join(HOLDERS) in nina.get(page).content.decode()
    assert "edit-link" not in shown
    assert "interval-link" not in shown
    assert "Scheduled checks" not in shown, "no check comes any more"
    assert "Silence messages" not in shown
    assert "sync" not in held.client("olive").get(f"{HELD}sync/").content.decode(), "no rule starts here"
    row = (
        nina.get(LIST)
        .content.decode()
        .partition('data-url="/registries/team-a/held/"')[2]
        .partition("</tr>")[0]
    )
    assert 'data-can="delete"' in row
    assert "data-deleting" in row
    assert "row-test" not in row
    assert "正在删除" in nina.get(f"{HELD}status/").content.decode()

    for refused in (
        nina.post(f"{HELD}verify/", headers={"HX-Request": "true"}),
        nina.get(f"{HELD}edit/"),
        nina.post(f"{HELD}edit/", {"display_name": "x", "uid": held.find("held").uid}),
        nina.get(f"{HELD}interval/"),
        nina.post(f"{HELD}interval/", {"interval": "1h"}),
        nina.get(f"{SILENCE}?namespace=team-a&name=held"),
        nina.post(
            SILENCE, {"namespace": "team-a", "name": "held", "reason": "x", "ends_at": "2099-01-01T00:00"}
        ),
    ):
        assert refused.status_code == 409
        assert "正在删除，不能再测试或编辑" in refused.content.decode() or refused.wsgi_request.path.endswith(
            "verify/"
        )
    assert not CheckInterval.objects.exists()
    assert not Silence.objects.exists()
    key, uid = held.find("held").key, held.find("held").uid
    with pytest.raises(Conflict, match=Problem.BEING_DELETED):
        services().tests.begin_test_of_run(access=held.access("nina"), key=key, uid=uid)
    added = nina.post("/registries/-/add/", typed("held"), headers={"HX-Request": "true"})
    assert added.status_code == 422
    assert "同名镜像源正在删除" in added.content.decode()
    with pytest.raises(AlreadyExists, match=Problem.BEING_DELETED):
        services().registries.rehearse_create(access=held.access("nina"), draft=read_draft(typed("held")))
    assert held.find("held").verification.at is None

    again = nina.post(
        f"{HELD}delete/", {"confirm": "held", "uid": held.find("held").uid}, headers={"HX-Request": "true"}
    )
    assert again.status_code == 204


def panel(client: Client, page: str) -> str:
    shown = client.get(page).content.decode()
    return shown.partition('id="pull-secret"')[2].partition("</section>")[0]


def test_the_pull_secret_of_one_that_is_being_deleted_goes_with_it(held: Cast, cluster: Cluster) -> None:
    english, secrets = in_english(held, "nina"), secrets_in("team-a")
    there = panel(english, HELD)
    cluster.server.call("DELETE", f"{secrets}/held")
    gone = panel(english, HELD)
    cluster.server.call("POST", secrets, {"metadata": {"name": "held"}})
    foreign = panel(english, HELD)
    cluster.server.call("DELETE", f"{secrets}/held")

    for shown in (there, gone):
        assert "The registry is being deleted, and its pull secret with it." in shown
    assert "It stays when the registry is deleted" in foreign
    for shown in (there, gone, foreign):
        assert "retries" not in shown
        assert "imagePullSecrets" not in shown, "no new pod should name it"


def test_a_run_says_what_holds_the_registries_that_it_deleted(held: Cast, cluster: Cluster) -> None:
    free = held.add("free")
    path = cluster.path("team-a", "second")
    second = held.add("second")
    cluster.server.call("PATCH", path, {"metadata": {"finalizers": ["example.net/hold"]}}, kind=MERGE_PATCH)
    runs, access = services().runs["delete"], held.access("nina")
    run = runs.propose(access=access, registries=[free, second, held.find("held")])
    runs.start(access=access, run_id=run)
    assert wait_for(lambda: runs.view(access=access, run_id=run).state.value == "done")

    try:
        page = in_english(held, "nina").get(f"/registries/-/runs/{run}/").content.decode()
        kept = page.partition('id="run-held"')[2].partition("</ul>")[0]
        assert kept.count("<li>") == 2
        for name, holders in (("held", HOLDERS), ("second", ["example.net/hold"])):
            assert f"team-a/<wbr>{name}<" in kept
            assert f"Finalizers hold the registry: {', '.join(holders)}" in kept
        assert "free" not in kept
        items = held.api("nina").get(f"{RUNS}/{run}").json()["items"]
        assert {it["name"]: (it["state"], it["problem"]) for it in items} == {
            "held": ("done", "being_deleted"),
            "second": ("done", "being_deleted"),
        }
        assert runs.view(access=access, run_id=run).failed == 0
    finally:
        cluster.server.call("PATCH", path, {"metadata": {"finalizers": None}}, kind=MERGE_PATCH)


def test_the_api_says_that_one_is_being_deleted(held: Cast) -> None:
    client, one = held.api("nina"), f"{TEAM_A}/held"

    metadata = client.get(one).json()["metadata"]
    assert metadata["deletionTimestamp"]
    assert metadata["finalizers"] == HOLDERS
    for refused in (
        patch(client, one, notes(display_name="x")),
        patch(client, f"{one}?dryRun=All", notes(display_name="x")),
        post(client, f"{one}/verify", {}),
    ):
        assert (refused.status_code, refused.json()["reason"]) == (409, "Conflict")
        assert "being deleted" in refused.json()["message"]
    assert client.delete(one).status_code == 204
    assert client.get(one).json()["metadata"]["finalizers"] == HOLDERS


@pytest.mark.parametrize(
    ("domain", "problem"),
    [
        ("harbor_dev.example.com", "underscore"),
        ("https://dev:s3cretword@harbor.example.com", "user name or @"),
    ],
)
def test_an_address_that_cannot_be_parsed_is_a_state_with_what_to_do(
    people: Cast, cluster: Cluster, domain: str, problem: str
) -> None:
    client = in_english(people, "vic")
    assert cluster.apply("team-a", "odd", domain=domain, password="cGFzc3dvcmQ=").status == 201

    assert wait_for(lambda: "Address not valid" in client.get(LIST).content.decode())
    for page in (LIST, "/registries/team-a/odd/", "/registries/team-a/odd/status/"):
        shown = client.get(page).content.decode()
        assert "Address not valid" in shown
        assert problem in shown
        assert "Enter the address again with “Correct and create again”" in shown, (
            "kubectl may change no address"
        )
        assert "s3cretword" not in shown
        assert 'data-copy="(not-valid)' not in shown, "nobody wants to copy the placeholder of the API"

    assert wait_for(lambda: services().store.pull_secret(Key("team-a", "odd")) is PullSecret.READY)
    pull_secret = panel(client, "/registries/team-a/odd/")
    assert "has no password until the address is valid" in pull_secret
    assert "Pods of this namespace can pull with this Secret" not in pull_secret
    assert "imagePullSecrets" not in pull_secret


def test_an_address_that_is_not_valid_can_only_be_corrected(
    people: Cast, cluster: Cluster, probing: Callable[[str], dict[str, str]]
) -> None:
    nina, olive, page = people.client("nina"), people.client("olive"), "/registries/team-a/odd/"
    cluster.apply("team-a", "odd", domain="harbor_dev.example.com", password="cGFzc3dvcmQ=")
    assert wait_for(lambda: 'data-url="/registries/team-a/odd/"' in nina.get(LIST).content.decode())

    assert 'data-can="edit password correct delete"' in nina.get(LIST).content.decode()
    shown = nina.get(page).content.decode()
    assert re.findall(r'class="btn btn-primary" id="(\S+)"', shown) == ["correct-link"]
    assert "verify/" not in shown.partition("</header>")[0]
    assert shown.index('id="actions-more"') < shown.index('id="edit-link"'), "no room for both on a phone"
    assert shown.count("correct/") == 1, "the verdict does not offer it a second time"
    assert olive.get(f"{page}sync/").content == b"", "no rule starts here"
    refused = olive.post(f"{page}sync/edit/", {"scope": "all", "step": "save"})
    assert "无法复制" in refused.content.decode()

    values = {**hidden(nina.get(f"{page}correct/").content.decode()), **probing("harbor"), "tls": "system"}
    answer = nina.post(f"{page}correct/", {**values, "provider": "harbor", "anyway": "1"})
    assert answer.status_code in (200, 302), answer.content.decode()
    assert wait_for(lambda: people.find("odd").domain == values["domain"])


def hidden(html: str) -> dict[str, str]:
    """The hidden values of the dialog, in which no address stands."""
    assert 'name="domain"' in html
    assert "not-valid" not in html
    return dict(re.findall(r'<input type="hidden" name="(uid|version)" value="([^"]*)"', html))


def test_the_pull_secret_of_an_applied_address_has_the_canonical_one(people: Cast, cluster: Cluster) -> None:
    cluster.apply("team-a", "upper", domain="Harbor.Example.com.:8443", password="cGFzc3dvcmQ=")

    assert wait_for(lambda: services().store.pull_secret(people.find("upper").key) is PullSecret.READY)
    data = cluster.server.call("GET", "/api/v1/namespaces/team-a/secrets/upper").body["data"]
    assert list(json.loads(base64.b64decode(data[DATA]))["auths"]) == ["harbor.example.com:8443"]
    document = json.loads(people.find("upper").document)
    assert document["spec"]["domain"] == "harbor.example.com:8443"
    assert PREFIX + "domain" not in document["metadata"]["annotations"]
