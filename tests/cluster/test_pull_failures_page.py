"""The page of pods that cannot pull: the next step for each role, and what a click mends."""

from collections.abc import Iterator
from typing import Any

import pytest

from registries.pull_secrets import pods as pod_reader
from registries.service import pull_failures
from tests.canary import CANARY
from tests.cast import Cast
from tests.cluster.failures_page import ADD, PAGE
from tests.cluster.test_pages import configured
from tests.cluster.users import HARBOR, named
from tests.peers.cluster import Cluster
from tests.peers.failing_pods import REFUSED, fails
from tests.peers.scripted import wait_for

pytest_plugins = ("tests.cluster.users",)


@pytest.fixture
def people(place: Cluster, settings: Any, cast: Cast) -> Iterator[Cast]:
    """The cast, with accounts of the console, on this cluster."""
    for _ in configured(place, settings):
        yield cast


def test_there_is_an_end_to_what_is_explained(
    people: Cast, place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcd":
        fails(place, name)
    monkeypatch.setattr(pull_failures, "MOST_EXPLAINED", 1)

    page = people.client("olive").get(PAGE).content.decode()

    assert "2 个 Pod 无法拉取镜像" in page
    assert "还有更多" in page


def test_the_page_has_the_reason_and_the_next_step_for_each_role(people: Cast, place: Cluster) -> None:
    people.add("harbor-prod", domain=HARBOR)
    fails(place, "web-1", message=f"{REFUSED} <b>\u202e password={CANARY}")
    fails(place, "web-2")
    fails(place, "hub", image="nginx", message="toomanyrequests: x")
    fails(place, "new", image="reg.io/a", message="no basic auth credentials")
    fails(place, "secret", namespace="team-b")

    pages = {name: people.client(name).get(PAGE).content.decode() for name in ("olive", "nina", "vic", "sam")}

    for name in ("nina", "vic"):
        assert "web-1" in pages[name]
        assert "<summary>2 个 Pod</summary>" in pages[name]
        assert "4 个 Pod 无法拉取镜像" in pages[name]
        assert "team-b" not in pages[name]
        assert "<b>" not in pages[name]
        assert "\u202e" not in pages[name]
    assert "5 个 Pod" in pages["olive"]
    assert "web-1" not in pages["sam"]
    assert "绑定 harbor-prod" in pages["nina"]
    assert "绑定 harbor-prod" not in pages["vic"]
    assert "domain=reg.io" in pages["nina"]
    assert "domain=reg.io" not in pages["vic"]


def test_the_page_is_narrowed(people: Cast, place: Cluster) -> None:
    people.add("harbor-prod", domain=HARBOR)
    fails(place, "web-1")
    fails(place, "other", image="reg.io/a")
    fails(place, "runs", phase="Running")
    client = people.client("nina", hx_request="true")

    def page(**query: str) -> str:
        return client.get(PAGE, query).content.decode()

    only = page(namespace="team-a", registry="harbor-prod")
    assert "web-1" in only
    assert "other" not in only
    assert "runs" in page(running="1")
    assert "web-1" not in page(running="1")
    assert "没有 Pod 在等待镜像" in page(namespace="team-a", registry="absent")
    assert client.get(PAGE, {"namespace": "team-b"}).status_code == 404


def test_the_details_page_counts_them(people: Cast, place: Cluster) -> None:
    people.add("harbor-prod", domain=HARBOR)
    client = people.client("vic", hx_request="true")
    query = {"namespace": "team-a", "registry": "harbor-prod", "count": "1"}
    details = client.get("/registries/team-a/harbor-prod/").content.decode()
    assert f"{PAGE}?namespace=team-a&amp;registry=harbor-prod&amp;count=1" in details
    none = client.get(PAGE, query).content.decode()
    fails(place, "web-1")
    fails(place, "web-2")
    fails(place, "other", image="reg.io/a")

    two = client.get(PAGE, query).content.decode()

    assert "没有正在启动的 Pod" in none
    assert "2 个 Pod 无法从此镜像源拉取" in two
    assert f"{PAGE}?namespace=team-a&amp;registry=harbor-prod" in two


def test_a_server_that_is_away_is_said(people: Cast, place: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    client = people.client("nina")
    client.get("/registries/")
    monkeypatch.setattr(pod_reader, "PATIENCE", -1.0)

    page = client.get(PAGE).content.decode()

    assert "无法读取 Pod。" in page
    assert "没有 Pod 在等待镜像" not in page


def test_a_click_mends_it_and_the_form_is_filled_in(people: Cast, place: Cluster) -> None:
    uid = people.add("harbor-prod", domain=HARBOR).uid
    client = people.client("nina")
    fails(place, "web-1")
    assert "绑定 harbor-prod" in client.get(PAGE).content.decode()

    bound = client.post(
        "/registries/team-a/harbor-prod/pull-secret/", {"uid": uid, "bound": "1", "from": "pull-failures"}
    )
    form = client.get(
        ADD, {"namespace": "team-a", "domain": "Reg.io:5000", "provider": "other", "name": "theirs"}
    )
    odd = client.get(ADD, {"namespace": "team-a", "domain": '"><script>', "name": "../x"})

    assert bound.headers["Location"] == f"{PAGE}?namespace=team-a"
    assert named(place) == ["harbor-prod"]
    page = client.get(PAGE).content.decode()
    assert "绑定 harbor-prod" not in page
    assert "已绑定到默认服务账号" in page
    assert "/restart/" not in page  # it would be done with the rights of the console
    assert client.post(f"{PAGE}team-a/web-1/restart/", {"uid": "x"}).status_code == 404
    assert 'value="reg.io:5000"' in form.content.decode()
    assert 'value="theirs"' in form.content.decode()
    assert odd.status_code == 200
    assert "<script>" not in odd.content.decode()


@pytest.mark.parametrize(
    ("reason", "offered"), [("bad_credentials", True), ("credentials_expired", True), ("timeout", False)]
)
def test_a_new_password_is_offered_where_the_password_is_the_cause(
    people: Cast, place: Cluster, reason: str, offered: bool
) -> None:
    people.add("harbor-prod", domain=HARBOR)
    verdict = {"theriseunion.io/verify-status": "failed", "theriseunion.io/verify-reason": reason}
    assert place.annotate("team-a", "harbor-prod", verdict).status == 200
    fails(place, "web-1", secrets=("harbor-prod",))
    change = "/registries/team-a/harbor-prod/password/"
    nina, vic = people.client("nina"), people.client("vic")

    assert wait_for(lambda: "凭证无效" in nina.get(PAGE).content.decode())
    assert (change in nina.get(PAGE).content.decode()) is offered
    assert change not in vic.get(PAGE).content.decode()
