"""复制到…: exactly what the preview shows is made, nothing else is touched, and the password is not shown."""

import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.template.loader import render_to_string

from registries.domain.access import Role
from registries.domain.errors import Problem
from registries.domain.registry import Key, Origin
from registries.models import StoredResource
from registries.people.grants import remove_grant, set_grant
from registries.service.copies import GUESSES_PER_MINUTE, Guesses
from registries.wiring import services
from tests import canary
from tests.cast import Cast
from tests.web.copies import PLAN, namespaces, password, plan, stored
from tests.web.test_trust import certificate


def test_the_dialog_offers_the_other_namespaces_where_one_may_add(cast: Cast) -> None:
    namespaces(cast, "team-c")
    set_grant(cast.users["nina"], "team-c", Role.ADMIN)
    set_grant(cast.users["nina"], "team-b", Role.OPERATOR)
    cast.add()

    shown = cast.htmx("nina").get("/registries/team-a/harbor-prod/copy/").content.decode()

    assert re.findall(r'name="namespaces" value="([^"]+)"', shown) == ["team-c"]


def test_a_copy_is_like_its_source_and_names_it(cast: Cast) -> None:
    values = {"display_name": "生产", "description": "Main", "tls": "ca", "ca_bundle": certificate()[0]}
    source = cast.add(**values)
    services().registries.edit(
        access=cast.access("olive"),
        key=source.key,
        uid=source.uid,
        resource_version=source.resource_version,
        information={"owner": "Ada", "support_contact": "#ada", "expires_at": "2031-01-02"},
    )

    client = cast.htmx()
    _, start = plan(client, [source], "team-b")
    response = client.post(start)

    source, copy = stored(cast)["team-a/harbor-prod"], stored(cast)["team-b/harbor-prod"]
    same = ("address", "username", "provider", "ca_bundle", "skip_tls_verify", "information", "verification")
    assert all(getattr(copy, name) == getattr(source, name) for name in same)
    assert copy.origin == Origin(source.key, source.uid)
    assert source.origin is None
    assert password(copy) == canary.CANARY
    assert "已创建 1 / 1" in response.content.decode()
    assert canary.CANARY not in response.content.decode()


def test_a_copy_has_the_verdict_of_its_source_and_none_of_its_labels(cast: Cast) -> None:
    source = cast.add()
    body = StoredResource.objects.get(uid=source.uid)
    body.body = body.body.replace(
        '"annotations": {',
        '"labels": {"argocd.argoproj.io/instance": "x"}, "annotations": {"other.io/x": "y", ',
        1,
    ).replace('"verify-status": "untested"', "")
    body.save()
    at = datetime(2026, 1, 2, tzinfo=UTC)
    patch = {
        "theriseunion.io/verify-status": "success",
        "theriseunion.io/verify-reason": "ok",
        "theriseunion.io/verify-timestamp": str(int(at.timestamp() * 1000)),
    }
    services().store.annotate(source.key, patch, uid=source.uid)

    client = cast.htmx()
    client.post(plan(client, [source], "team-b")[1])

    copy = stored(cast)["team-b/harbor-prod"]
    assert (copy.verification.status.value, copy.verification.at) == ("success", at)
    assert not copy.labels
    assert b"other.io" not in copy.document


STATES: dict[str, tuple[Callable[[Cast], object], str]] = {
    "free": (lambda cast: None, "将创建"),
    "same": (lambda cast: cast.add(namespace="team-b"), "已有相同的镜像源"),
    "another password": (lambda cast: cast.add(namespace="team-b", password="another-1"), "另一个镜像源"),
    "another user": (lambda cast: cast.add(namespace="team-b", username="robot"), "另一个镜像源"),
    "another address": (
        lambda cast: cast.add(namespace="team-b", domain="other.example.com"),
        "另一个镜像源",
    ),
    "another trust": (lambda cast: cast.add(namespace="team-b", tls="skip"), "另一个镜像源"),
    "plain http": (
        lambda cast: cast.add(namespace="team-b", domain="http://harbor.example.com"),
        "另一个镜像源",
    ),
    "no right": (lambda cast: remove_grant(cast.users["nina"], "team-b"), "没有角色"),
    "weak right": (lambda cast: set_grant(cast.users["nina"], "team-b", Role.OPERATOR), "角色"),
    "no namespace": (
        lambda cast: services().registries.delete_namespace(access=cast.access("olive"), name="team-b"),
        "不存在",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_the_preview_says_what_will_happen_and_only_that_happens(cast: Cast, state: str) -> None:
    set_grant(cast.users["nina"], "team-b", Role.ADMIN)
    source = cast.add()
    prepare, text = STATES[state]
    prepare(cast)
    before = stored(cast)

    client = cast.htmx("nina")
    shown, start = plan(client, [source], "team-b")

    assert text in shown
    assert bool(start) == ("加密保存在数据库中" in shown) == (state == "free")
    assert "Secret" not in shown, "the embedded store has none"
    assert stored(cast) == before, "a preview changes nothing"
    assert canary.CANARY not in shown


@pytest.mark.parametrize(("several", "where"), [(True, "这些命名空间"), (False, "副本所在命名空间")])
def test_on_a_cluster_it_says_who_can_read_a_copy(where: str, *, several: bool) -> None:
    shown = render_to_string("_who_reads.html", {"on_cluster": True, "several": several})
    assert f"有权读取{where}中 Secret 的人都能读到该密码。" in shown


def test_what_changed_after_the_preview_is_left_alone_and_said(cast: Cast) -> None:
    namespaces(cast, "team-c", "team-d")
    source = cast.add()
    client = cast.htmx()
    _, start = plan(client, [source], "team-b", "team-c", "team-d")
    theirs = cast.add(namespace="team-b", password="another-1")
    same = cast.add(namespace="team-c")

    shown = client.post(start).content.decode()

    now = stored(cast)
    assert now["team-b/harbor-prod"] == theirs
    assert now["team-c/harbor-prod"] == same
    assert password(now["team-d/harbor-prod"]) == canary.CANARY
    assert "team-b/<wbr>harbor-prod" in shown
    assert "另一个镜像源" in shown


def test_a_source_that_is_gone_or_new_is_not_copied(cast: Cast) -> None:
    source = cast.add()
    client = cast.htmx()
    _, start = plan(client, [source], "team-b")
    services().store.delete(source.key, uid=source.uid)
    cast.add(password="another-1")

    shown = client.post(start).content.decode()

    assert list(stored(cast)) == ["team-a/harbor-prod"]
    assert ">来源已被删除。<" in shown
    assert "复制完成，部分失败" in shown


def test_the_notice_above_the_list_counts_the_copies(cast: Cast) -> None:
    source = cast.add()
    client = cast.htmx()
    client.post(plan(client, [source], "team-b")[1])

    assert "已复制 1 / 1" in client.get("/registries/-/notices/").content.decode()


def test_the_dialog_is_a_page_without_scripts(cast: Cast) -> None:
    source = cast.add()
    client = cast.client("olive")

    assert "<html" in client.get("/registries/team-a/harbor-prod/copy/").content.decode()
    shown = client.post(PLAN, {"uids": source.uid, "namespaces": ["team-b"]}).content.decode()
    start = re.search(r'action="([^"]+/start/)"', shown)
    assert start is not None
    assert "<html" in client.post(start[1]).content.decode()
    assert services().store.get(Key("team-b", "harbor-prod")).origin is not None


@pytest.mark.parametrize(
    "origin", ["team-b/x", "team-b", "team-b/", "/x", "../x", "Team/x", "a/b/c", canary.CANARY]
)
def test_a_client_of_the_api_writes_no_source(cast: Cast, origin: str) -> None:
    from tests.api.test_api import TEAM_A, body, post

    values = body()
    values["metadata"]["annotations"] = {
        "theriseunion.io/copied-from": origin,
        "theriseunion.io/copied-from-uid": "0b6f4a54-5a0e-4bb4-9a1b-0f2f5b6c7d8e",
        "theriseunion.io/verify-status": "success",
    }

    response = post(cast.api("olive"), TEAM_A, values)

    if response.status_code == 201:
        assert stored(cast)["team-a/harbor-prod"].origin is None
        assert stored(cast)["team-a/harbor-prod"].verification.status.value == "untested"


def test_guesses_in_many_namespaces_at_one_source_end_soon(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes a guess into each of her namespaces, and looks which of them is "there already"."""
    source, places = cast.add(), [f"guess-{number:02}" for number in range(3 * GUESSES_PER_MINUTE)]
    namespaces(cast, *places)
    for place in places:
        cast.add(namespace=place, password=place)
    guesses, begun = services().guesses, time.monotonic()
    waits: list[int] = []

    def wait(person: str, registry: str) -> int:
        found = Guesses.wait(guesses, person, registry)
        if registry == str(source.key):
            waits.append(found)
        return found

    monkeypatch.setattr(guesses, "wait", wait)

    targets = services().copying.plan(access=cast.access("olive"), sources=[source], namespaces=places)

    refilled = math.ceil((time.monotonic() - begun) * GUESSES_PER_MINUTE / 60)
    assert {it.problem for it in targets} == {Problem.NAME_TAKEN}
    assert len(waits) == len(places)
    assert waits.count(0) <= GUESSES_PER_MINUTE + refilled


def test_a_missing_choice_is_said_at_the_field(cast: Cast) -> None:
    source = cast.add()

    answer = cast.htmx().post(PLAN, {"uids": source.uid})

    shown = answer.content.decode()
    assert answer.status_code == 422
    assert 'aria-describedby="copy-namespaces-error"' in shown
    assert re.search(r'class="field-error" id="copy-namespaces-error">至少选择一个命名空间。<', shown)
