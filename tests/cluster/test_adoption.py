"""A registry from a credential of somebody's Secret, on a real API server and a real docker-registry: the password goes
from the Secret to the registry, and never to a browser."""

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from registries.cluster import paths
from registries.domain.registry import Key, VerifyStatus
from registries.models import AuditEntry
from registries.wiring import services
from tests.canary import CANARY
from tests.cluster.failures_page import READS_SECRETS
from tests.cluster.people import access_of, log_in
from tests.cluster.users import make, pod_spec
from tests.peers.cluster import Cluster
from tests.peers.docker_registry import docker_registry
from tests.peers.failing_pods import CONFIG
from tests.peers.scripted import scripted, wait_for

pytest_plugins = ("tests.cluster.people",)

ADD, TRY = "/registries/-/add/", "/registries/-/try/"
USER, SECRETS = "robot$ci", paths.secrets_in("team-a")
PAIR = base64.b64encode(f"{USER}:{CANARY}".encode()).decode()
NAMED = {"username": USER, "password": CANARY}
OLD = "kubernetes.io/dockercfg"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("registry"), users={USER: CANARY}) as host:
        yield host


@pytest.fixture
def place(people: Cluster, settings: Any) -> Iterator[Cluster]:
    settings.PROBE_ALLOW_LOOPBACK = True
    settings.TESTS_PER_MINUTE = 10_000
    for built in ("tests", "single_tests"):
        vars(services()).pop(built, None)
    people.server.call("DELETE", SECRETS)
    people.server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", READS_SECRETS)
    yield people
    people.unbind("team-a-admin", "reader-of-secrets", "team-a")
    people.server.call("DELETE", SECRETS)


@pytest.fixture
def nina(place: Cluster) -> Client:
    """She may read the Secrets of team-a."""
    place.bind("team-a-admin", "reader-of-secrets", "team-a")
    client = log_in("team-a-admin", hx_request="true")
    assert wait_for(lambda: client.get("/registries/").status_code == 200)
    return client


def put(place: Cluster, name: str, auths: Any, kind: str = CONFIG) -> None:
    field, content = (".dockercfg", auths) if kind == OLD else (".dockerconfigjson", {"auths": auths})
    body = {"metadata": {"name": name}, "type": kind, "stringData": {field: json.dumps(content)}}
    made = place.server.call("POST", SECRETS, body)
    assert made.status == 201, made.body


def link(name: str, **query: str) -> dict[str, str]:
    return {"namespace": "team-a", "provider": "other", "secret": f"team-a/{name}", **query}


def posted(page: str, name: str, **values: str) -> dict[str, str]:
    """What a browser sends for the form as it is shown."""
    found = {
        it: html.unescape(value) for it, value in re.findall(r'name="(secret|entry)" value="([^"]*)"', page)
    }
    for field in ("domain", "username"):
        shown = re.search(rf'name="{field}" value="([^"]*)"', page)
        found[field] = html.unescape(shown[1]) if shown else ""
    basis = {"namespace": "team-a", "provider": "other", "tls": "system", "name": name}
    return {**basis, **found, **values}


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ({"{}": {"auth": PAIR}}, CONFIG),
        ({"{}": NAMED}, CONFIG),
        ({"{}": {"username": "other", "password": "other", "auth": PAIR}}, CONFIG),
        ({"http://{}/v2/": NAMED}, CONFIG),
        ({"{}/shop": NAMED}, CONFIG),
        ({"{}": NAMED}, OLD),
    ],
    ids=["auth", "names", "auth wins", "scheme and version", "path", "older type"],
)
def test_it_is_tested_and_saved_without_a_password_in_a_page(
    place: Cluster, nina: Client, host: str, case: Any, kind: str
) -> None:
    put(place, "theirs", {key.format(host): it for key, it in case.items()}, kind)
    pages = [nina.get(ADD, link("theirs", domain=host, username=USER)).content.decode()]
    values = posted(pages[0], "adopted", domain=f"http://{host}")

    trial = nina.post(TRY, values)
    assert trial.status_code == 200, trial.content.decode()
    pages.append(trial.content.decode())
    while asked := re.search(r'hx-get="([^"]+)"', pages[-1]):
        pages.append(nina.get(asked[1]).content.decode())
    assert "verdict-ok" in pages[-1]
    saved = nina.post(ADD, {**values, "username": "not the one of the Secret"})
    pages.append(saved.content.decode())

    assert saved.status_code == 204, saved.content.decode()
    access, key = access_of("team-a-admin"), Key("team-a", "adopted")
    found = services().registries.find(access=access, key=key)
    assert (found.domain, found.username) == (host, USER)
    assert wait_for(
        lambda: services().registries.find(access=access, key=key).verification.status is VerifyStatus.SUCCESS
    )
    pages.append(nina.get("/registries/team-a/adopted/").content.decode())
    pages.append(nina.get("/journal/").content.decode())
    assert f"{host}，密码来自 Secret team-a/theirs" in pages[-1]
    assert AuditEntry.objects.get(action="create").note == f"{host} secret team-a/theirs"
    assert 'name="password"' not in pages[0]
    assert "域名、用户名和密码取自 Secret <code>theirs</code>" in pages[0]
    assert not any(secret in page for page in pages for secret in (CANARY, PAIR))


def test_each_credential_of_a_secret_is_a_choice(place: Cluster, nina: Client) -> None:
    put(
        place,
        "theirs",
        {
            "a.example.com": {"username": "first", "password": CANARY},
            "b.example.com/x": {"username": "second", "password": CANARY},
            "https://index.docker.io/v1/": {"username": "hub", "password": CANARY},
            "docker.io": {"username": "hub2", "password": CANARY},
            "no-user.example.com": {"password": CANARY},
            "token.example.com": {"username": CANARY},
            "hub.docker.com": {"username": "portal", "password": CANARY},
            "*.example.com": {"username": "pattern", "password": CANARY},
        },
    )

    shown = nina.get(ADD, link("theirs", entry="b.example.com/x")).content.decode()
    first = nina.get(ADD, link("theirs")).content.decode()
    urls = [html.unescape(it) for it in re.findall(r'<a class="mono" href="([^"]+)" data-dialog>', shown)]
    others = [posted(nina.get(it).content.decode(), "x") for it in urls]

    assert posted(shown, "x")["username"] == "second"
    assert posted(shown, "x")["domain"] == "b.example.com"
    assert [(it["username"], it["domain"], it["entry"]) for it in others] == [
        ("first", "a.example.com", "a.example.com"),
        ("hub", "docker.io", "https://index.docker.io/v1/"),
        ("hub2", "docker.io", "docker.io"),
    ]
    assert posted(first, "x")["username"] == "first"
    assert CANARY not in shown


def test_the_password_goes_to_no_other_host(place: Cluster, nina: Client, host: str) -> None:
    """Neither by a test nor by saving; the other host hears nothing."""
    put(place, "theirs", {host: NAMED})
    page = nina.get(ADD, link("theirs")).content.decode()
    with scripted(lambda request: pytest.fail("asked")) as other:
        for address in (f"http://{other.netloc}", "localhost", "docker.io", "", "a b", f"{host}.example.com"):
            values = posted(page, "adopted", domain=address)
            answers = [nina.post(it, values) for it in (TRY, ADD)]
            assert [it.status_code for it in answers] == [422, 422], address
            for answer in answers:
                assert f"只用于 {host}" in html.unescape(answer.content.decode()), address
                assert CANARY not in answer.content.decode()
        assert other.requests == []
    assert place.server.call("GET", f"{place.path('team-a')}/adopted").status == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"entry": "no-such-key"},
        {"entry": ""},
        {"secret": "team-a/gone"},
        {"secret": "team-a/../secrets/theirs"},
        {"secret": "team-a/theirs?x"},
        {"secret": "team-a/" + "x" * 5_000},
    ],
    ids=["entry", "no entry", "gone", "path", "query", "long"],
)
def test_a_secret_that_has_it_no_more_is_said_and_the_field_is_back(
    place: Cluster, nina: Client, host: str, changed: dict[str, str]
) -> None:
    put(place, "theirs", {host: NAMED})
    page = nina.get(ADD, link("theirs")).content.decode()
    values = posted(page, "adopted", domain=f"http://{host}", **changed)

    tried, saved = nina.post(TRY, values), nina.post(ADD, values)

    assert (tried.status_code, saved.status_code) == (422, 422)
    assert "中已没有该凭证" in tried.content.decode()
    assert 'id="id_password"' in saved.content.decode()
    typed = {it: value for it, value in values.items() if it not in ("secret", "entry")}
    assert nina.post(ADD, {**typed, "password": CANARY}).status_code == 204


def test_without_the_right_the_field_stays_and_says_why(place: Cluster, host: str) -> None:
    put(place, "theirs", {host: NAMED})
    query = link("theirs", domain=host, username=USER)
    for user in ("olive", "team-a-admin"):
        page = log_in(user).get(ADD, query).content.decode()
        assert 'id="id_password"' in page
        assert '无权读取 Secret <code class="unbroken">theirs</code>' in page
        assert f'value="{host}"' in page
    refused = log_in("team-a-admin").post(
        ADD, posted(page, "adopted", domain=f"http://{host}", secret="team-a/theirs", entry=host)
    )
    assert refused.status_code == 422
    assert "无权读取该 Secret" in refused.content.decode()
    stranger = log_in("team-a-admin").get(ADD, {**query, "secret": "team-b/theirs"})
    assert stranger.status_code == 404
    assert log_in("vic").get(ADD, query).status_code == 403


def test_a_broken_secret_has_nothing_to_take(place: Cluster, nina: Client) -> None:
    for name, auths in (("list", []), ("half", {"a.io": NAMED, "b.io": {"auth": "%%%"}})):
        put(place, name, auths)
        page = nina.get(ADD, link(name)).content.decode()
        assert 'id="id_password"' in page, name
        assert f'Secret <code class="unbroken">{name}</code> 中已没有该凭证' in page


TOKENS = (
    "ghp_" + "a1B2" * 9,
    "glpat-" + "x" * 20,
    "eyJhbGciOiJIUzI1NiJ9.e30",
    "\u202erobot",
    "https://u:p@h.io",
)
"""User names that may be the secret itself, or that nobody sees as they are."""


def test_a_user_name_that_may_be_a_token_is_in_no_page_and_in_no_url(place: Cluster, nina: Client) -> None:
    names = {f"h{n}.example.com": it for n, it in enumerate(TOKENS)}
    put(place, "theirs", {host: {"username": it, "password": CANARY} for host, it in names.items()})
    make(place, "Pod", "uses", pod_spec("nginx", ("theirs",)))
    pages = [nina.get("/pull-failures/secrets/").content.decode()]
    place.server.call("DELETE", f"{paths.pods_in('team-a')}/uses?gracePeriodSeconds=0")
    assert "h0.example.com" in pages[0]
    for host in names:
        pages.append(nina.get(ADD, link("theirs", domain=host)).content.decode())
        assert f'name="entry" value="{host}"' in pages[-1]

    for page in map(html.unescape, pages):
        assert not [it for it in TOKENS if it in page or quote(it) in page or quote(it, safe="") in page]

    first = nina.post(ADD, posted(pages[1], "adopted"))
    assert first.status_code < 300, first.content.decode()
    credential = services().store.credential(
        Key("team-a", "adopted"), uid=services().store.get(Key("team-a", "adopted")).uid
    )
    assert (credential.username, credential.password) == (TOKENS[0], CANARY)
