"""The scan of pull secrets in use, on a real API server: what it finds, for whom, and what it never shows."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from registries.cluster.paths import pods_in, secrets_in
from registries.cluster.personal import Person
from registries.domain.errors import Problem
from registries.domain.registry import Key
from registries.pull_secrets import in_use as in_use_reader
from registries.pull_secrets.explain import SecretState
from registries.pull_secrets.named import LISTED
from registries.pull_secrets.scan import InUse, unused
from registries.stores.base import Freshness
from registries.stores.cluster.store import KubernetesStore
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.test_pages import configured
from tests.cluster.users import HARBOR, account, add, make, pod_spec
from tests.peers.cluster import Cluster
from tests.peers.failing_pods import leading_to, secret
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.users",)

PULLS, PAGE = "/pull-failures/", "/pull-failures/secrets/"


@pytest.fixture
def people(place: Cluster, settings: Any, cast: Cast) -> Iterator[Cast]:
    """The cast, with accounts of the console, on this cluster."""
    for _ in configured(place, settings):
        yield cast


def config(**users: str) -> str:
    """A docker config with a credential per host, written with _ for the dot."""
    auths = {host.replace("_", "."): {"username": it, "password": CANARY} for host, it in users.items()}
    return json.dumps({"auths": auths})


def in_use(store: KubernetesStore, namespace: str = "team-a") -> InUse:
    reader = store.pull_failures()
    assert reader
    found, _problem = reader.in_use([namespace])
    return found[namespace]


def test_every_object_that_names_a_secret_counts_once(store: KubernetesStore, place: Cluster) -> None:
    account(place, secrets=("of-account",))
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod"):
        again = "Never" if kind in ("CronJob", "Job") else "Always"
        make(place, kind, kind.lower(), pod_spec("nginx", ("one", kind.lower()), again=again))
    volume = {"volumes": [{"name": "v", "secret": {"secretName": "in-volume"}}]}
    make(place, "Pod", "builder", {**pod_spec(), **volume})
    make(place, "Pod", "elsewhere", pod_spec("nginx", ("other",)), namespace="team-b")

    found = in_use(store)

    kinds = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod"]
    assert found.users["of-account"] == [("ServiceAccount", "default")]
    assert found.users["one"] == [(kind, kind.lower()) for kind in kinds]
    assert "in-volume" not in found.users
    assert "in-volume" in found.mentioned
    assert "other" not in found.mentioned
    assert frozenset({"one", "pod"}) in found.together
    assert (found.unread, found.forbidden) == ([], [])


def test_a_person_without_a_right_is_told_which_and_nothing_is_called_unused(
    store: KubernetesStore, place: Cluster, person: Person
) -> None:
    add(store)
    found = in_use(store.acting_as(person))
    registry = store.get(Key("team-a", "harbor-prod"))

    missing = [kind for kind in LISTED if kind != "Repository"]  # this cluster has no definition of it
    assert (found.forbidden, found.unread, found.users) == (missing, missing, {})
    assert unused(found, [registry]) == []
    assert [it.name for it in unused(in_use(store), [registry])] == ["harbor-prod"]


def test_a_person_scans_with_the_role_and_no_further(
    store: KubernetesStore, place: Cluster, admin: Person
) -> None:
    make(place, "Pod", "p", pod_spec("nginx", ("one",)))
    make(place, "Pod", "p", pod_spec("nginx", ("one",)), namespace="team-b")

    assert in_use(store.acting_as(admin)).users == {"one": [("Pod", "p")]}
    other = in_use(store.acting_as(admin), "team-b")
    assert (other.users, "Pod" in other.forbidden) == ({}, True)


@pytest.mark.parametrize(("name", "value"), [("MOST_OBJECTS", 2), ("PATIENCE", -1.0)])
def test_there_is_an_end_to_what_is_read(
    store: KubernetesStore, place: Cluster, monkeypatch: pytest.MonkeyPatch, name: str, value: float
) -> None:
    for pod in "abc":
        make(place, "Pod", pod, pod_spec("nginx", ("one",)))
    monkeypatch.setattr(in_use_reader, name, value)

    found = in_use(store)

    assert len(found.users.get("one", [])) < 3
    assert "Pod" in found.unread
    assert found.forbidden == []


def test_there_is_an_end_to_the_names_that_are_kept(
    store: KubernetesStore, place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_use_reader, "MOST_OBJECTS", 20)
    for pod in "abc":
        make(place, "Pod", pod, pod_spec("nginx", tuple(f"{pod}{n}" for n in range(11))))
    make(place, "DaemonSet", "long", pod_spec("nginx", ("x" * 254, "y" * 1_000_000, "one")))

    found = in_use(store)

    assert found.users.pop("one") == [("DaemonSet", "long")]
    assert len(found.users) == 22, "of two of the three pods"
    assert found.unread == ["Pod"]


def fill(place: Cluster) -> None:
    """Secrets with every finding, and pods that name them, instead of those that another test left."""
    for collection in (secrets_in("team-a"), f"{pods_in('team-a')}?gracePeriodSeconds=0"):
        assert place.server.call("DELETE", collection).status == 200
    secret(place, "adopt", config(new_io="robot$new"))
    secret(place, "broken", '{"auths":[]}')
    secret(place, "opaque", CANARY, "Opaque")
    secret(place, "login", json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": "dTpw"}}}))
    secret(place, "hub", config(docker_io="other"))
    secret(place, "twice", config(new_io="robot$new"))
    for name in ("adopt", "broken", "opaque", "twice", "gone"):
        make(place, "Pod", f"pod-{name}", pod_spec("nginx", (name,)))
    make(place, "Pod", "pod-hub", pod_spec("nginx", ("login", "hub")))


def test_for_its_own_accounts_the_console_reads_no_content(people: Cast, place: Cluster) -> None:
    fill(place)
    people.add("harbor-prod", domain=HARBOR)
    people.add("idle", domain="idle.example.com")
    make(place, "Pod", "uses", pod_spec("nginx", ("harbor-prod",)))

    pages = {name: people.client(name).get(PAGE).content.decode() for name in ("olive", "nina", "vic", "sam")}

    for name in ("olive", "nina", "vic"):
        for text in (
            "拉取凭证不存在",
            "拉取凭证类型错误",
            "拉取凭证未检查",
            "pod-adopt",
            '8 个使用中的拉取凭证 · 2 个需要关注 · <span class="unbroken">5 个未检查',
        ):
            assert text in pages[name], (name, text)
        in_order = pages[name].partition('id="in-order"')[2].partition("</section>")[0]
        assert re.findall(r'href="([^"]+)">team-a/<wbr>([^<]+)</a>', in_order) == [
            ("/registries/team-a/harbor-prod/", "harbor-prod")
        ]
        assert re.findall(r'class="pill pill-idle">.*?</svg>(.*?)</span>', in_order) == ["未测试"], (
            "its password"
        )
        assert "robot$new" not in pages[name]
        assert CANARY not in pages[name]
        assert "team-a/<wbr>idle" in pages[name]
        assert "1 个镜像源 ·" in pages[name].partition('id="unused"')[2]
        assert "harbor-prod" not in pages[name].partition('id="unused"')[2]
    assert "pod-adopt" not in pages["sam"]
    for page in (pages["sam"], people.client("sam").get(PULLS).content.decode()):
        assert 'class="filters"' not in page, "without a role there is nothing to choose"
        assert 'id="refresh"' not in page
    assert "name=gone" in pages["nina"]
    assert "name=gone" not in pages["vic"]
    assert people.client("nina").get(PAGE, {"namespace": "team-b"}).status_code == 404


def test_the_reason_why_the_cluster_is_away_stands_once_on_a_page(
    people: Cast, place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that comes later has it, too: the page around it may be older."""
    client, reason = people.client("nina"), "集群的 API Server 未及时响应"
    monkeypatch.setattr(services().index, "freshness", lambda: Freshness(Problem.CLUSTER_TIMEOUT))

    page = client.get(PULLS).content.decode()
    part = client.get(PULLS, headers={"hx-request": "true"}).content.decode()

    assert "无法读取 Pod。" in page
    assert (page.count(reason), part.count(reason)) == (1, 1)


def test_a_right_that_the_console_lacks_is_not_called_the_persons(people: Cast, place: Cluster) -> None:
    client = people.client("olive")
    place.unbind("console", "registry-console-local-accounts", "")
    try:
        assert wait_for(lambda: 'id="unread"' in client.get(PULLS).content.decode())
        pages = [client.get(url).content.decode() for url in (PULLS, PAGE)]
    finally:
        place.grant_console()

    for page in pages:
        assert "控制台无权列出" in page
        assert "将控制台的服务账号绑定到集群角色" in page
        assert "你无权列出" not in page


def test_one_list_of_the_cluster_tells_the_same_as_one_of_each_namespace(
    store: KubernetesStore, place: Cluster, admin: Person
) -> None:
    account(place, secrets=("of-account",))
    make(place, "Deployment", "d", pod_spec("nginx", ("one",)))
    make(place, "Pod", "p", pod_spec("nginx", ("other",)), namespace="team-b")
    names, reader = ["team-a", "team-b"], store.pull_failures()
    assert reader

    whole = reader.in_use(names, all_of_them=True, most=1)

    assert whole == reader.in_use(names)
    assert set(whole[0]) == {*names}, "not the first one only"
    assert whole[0]["team-b"].users["other"] == [("Pod", "p")]
    person = store.acting_as(admin).pull_failures()
    assert person
    found, _problem = person.in_use(names, all_of_them=True, most=1)
    assert [*found] == ["team-a"], "without the right everywhere, each namespace is asked by itself"
    assert found["team-a"].users["one"] == [("Deployment", "d")]


def test_the_dialog_is_filled_in_except_for_the_password(people: Cast) -> None:
    client = people.client("nina")
    query = {"namespace": "team-a", "domain": "new.io", "username": "robot$new", "secret": "team-a/adopt"}
    form = client.get("/registries/-/add/", query).content.decode()
    odd = client.get("/registries/-/add/", {"username": "a\u202eb", "secret": "team-a/<b>"}).content.decode()
    elsewhere = client.get("/registries/-/add/", {**query, "secret": "team-b/adopt"})

    assert 'value="new.io"' in form
    assert 'value="robot$new"' in form
    assert '无权读取 Secret <code class="unbroken">adopt</code>' in form
    assert 'id="id_password"' in form
    assert elsewhere.status_code == 404
    assert "\u202e" not in odd
    assert "<b>" not in odd


def test_a_name_leads_to_no_other_object(store: KubernetesStore, place: Cluster) -> None:
    secret(place, "hidden", CANARY, "Opaque", "team-b")
    secret(place, "here", CANARY, "Opaque")
    odd = leading_to("secrets", "hidden")
    make(place, "Pod", "p", pod_spec("nginx", (*odd, "here")))
    reader = store.pull_failures()
    assert reader

    named = in_use(store).users
    read = reader.secrets((Key("team-a", it) for it in named), {})

    assert set(named) == {*odd, "here"}
    found = {key.name: it.state for key, it in read.items()}
    assert found == {**dict.fromkeys(odd, SecretState.MISSING), "here": SecretState.WRONG_TYPE}
