"""One dialog adds into several namespaces, and one test is enough for the copies."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from registries.domain.access import Role
from registries.domain.registry import Key, Origin, RegistrySecret, VerifyStatus
from registries.intake import read_draft
from registries.models import AuditEntry, VerificationRecord
from registries.people.grants import set_grant
from registries.wiring import services
from tests import canary
from tests.cast import Cast, Probing, typed
from tests.peers.scripted import wait_for
from tests.web.copies import ADD, namespaces, plan, stored


def added(client: Client, *also: str, **values: str) -> str:
    return client.post(ADD, {**typed(**values), "also": list(also)}).content.decode()


def test_one_dialog_adds_into_several_namespaces(cast: Cast) -> None:
    namespaces(cast, "team-c", "team-d", "team-e")
    there = cast.add(namespace="team-d", password="another-1")

    shown = added(cast.htmx(), "team-a", "team-b", "team-c", "team-d", "team-e")

    now = stored(cast)
    assert set(now) == {f"team-{it}/harbor-prod" for it in "abcde"}
    assert now["team-d/harbor-prod"] == there
    source = now["team-a/harbor-prod"]
    assert all(now[f"team-{it}/harbor-prod"].origin == Origin(source.key, source.uid) for it in "bce")
    assert "已创建 3 / 4" in shown
    assert "team-d/<wbr>harbor-prod" in shown, "why not there"
    assert AuditEntry.objects.filter(action="test").count() + VerificationRecord.objects.count() >= 1
    assert VerificationRecord.objects.values("uid").distinct().count() == 1, "the test is made once"


def test_another_one_can_be_added_while_the_copies_are_made(cast: Cast) -> None:
    namespaces(cast, "team-c")

    shown = added(cast.htmx(), "team-b", "team-c", another="yes")
    plain = cast.client("olive").post(
        ADD, {**typed("second"), "also": "team-b", "another": "yes"}, follow=True
    )

    assert set(stored(cast)) == {f"team-{it}/harbor-prod" for it in "abc"} | {
        "team-a/second",
        "team-b/second",
    }
    assert 'id="add-form"' in shown
    assert "正在创建 1 个副本。" in plain.content.decode()


@pytest.mark.parametrize("also", ["team-b", "team-z", "", "' OR 1=1"])
def test_nothing_is_added_where_one_may_not(cast: Cast, also: str) -> None:
    set_grant(cast.users["nina"], "team-b", Role.OPERATOR)

    added(cast.htmx("nina"), also)

    assert list(stored(cast)) == ["team-a/harbor-prod"]


def test_a_form_with_an_error_adds_nowhere_and_keeps_the_choice(cast: Cast) -> None:
    shown = added(cast.htmx(), "team-b", name="Not Valid")

    assert not stored(cast)
    assert re.search(r'name="also" value="team-b" checked', shown)
    assert canary.CANARY not in shown


@pytest.mark.parametrize("password_of_copy", ["same", "another-1"])
def test_the_verdict_of_the_one_test_reaches_copies_with_this_credential(
    cast: Cast, probing: Callable[[str], dict[str, str]], password_of_copy: str
) -> None:
    """The copies are made while the test of the source goes on."""
    source, other = cast.add(**probing("harbor")), cast.add("other", **probing("harbor"))
    client = cast.htmx()
    client.post(plan(client, [source], "team-b")[1])
    copy = stored(cast)["team-b/harbor-prod"]
    if password_of_copy != "same":
        services().store.set_password(copy.key, password_of_copy, uid=copy.uid)

    client.post("/registries/team-a/harbor-prod/verify/")

    tested, copy = (
        stored(cast)["team-a/harbor-prod"].verification,
        stored(cast)["team-b/harbor-prod"].verification,
    )
    assert tested.status.value == "success"
    assert (copy == tested) == (password_of_copy == "same")
    assert stored(cast)["team-a/other"].verification == other.verification, "it is no copy"
    assert VerificationRecord.objects.values("uid").distinct().count() == 1


def test_the_verdict_does_not_reach_copies_that_one_may_not_test(
    cast: Cast, probing: Callable[[str], dict[str, str]]
) -> None:
    source = cast.add(**probing("harbor"))
    client = cast.htmx()
    client.post(plan(client, [source], "team-b")[1])

    cast.htmx("omar").post("/registries/team-a/harbor-prod/verify/")

    assert stored(cast)["team-b/harbor-prod"].verification.status.value == "untested"


def verify(cast: Cast) -> RegistrySecret:
    cast.htmx().post("/registries/team-a/harbor-prod/verify/")
    return stored(cast)["team-a/harbor-prod"]


@pytest.mark.parametrize("way", ["copy", "create", "put"])
def test_a_copy_that_is_written_after_the_test_and_read_before_it_has_the_verdict(
    cast: Cast, probing: Probing, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, access, copying = cast.add(**probing("harbor")), cast.access("olive"), services().copying
    template = copying.template(access=access, uid=source.uid)
    tested, key = verify(cast), Key("team-b", "harbor-prod")

    if way == "copy":
        monkeypatch.setattr(copying, "template", lambda **values: template)
        assert copying.copy(access=access, key=key, uid=source.uid)
    elif way == "create":
        copying.create(access=access, draft=replace(template, key=key))
    else:
        assert copying.put(access=access, template=template, key=key)

    assert tested.verification.status is VerifyStatus.SUCCESS
    assert stored(cast)["team-b/harbor-prod"].verification == tested.verification


def test_a_copy_of_a_password_that_was_changed_and_tested_meanwhile_has_no_verdict(
    cast: Cast, probing: Probing
) -> None:
    source, access = cast.add(**probing("harbor") | {"password": "another-1"}), cast.access("olive")
    template = services().copying.template(access=access, uid=source.uid)
    services().store.set_password(source.key, probing("harbor")["password"], uid=source.uid)
    assert verify(cast).verification.status is VerifyStatus.SUCCESS

    services().copying.put(access=access, template=template, key=Key("team-b", "harbor-prod"))

    assert stored(cast)["team-b/harbor-prod"].verification.status is VerifyStatus.UNTESTED


@pytest.mark.parametrize("right", [True, False])
def test_a_registry_that_somebody_else_calls_a_copy_is_told_no_verdict(
    cast: Cast, probing: Probing, right: bool
) -> None:
    """With kubectl, one could write a guess at a password into a "copy", and wait for somebody's test of the source."""
    source = cast.add(**probing("harbor"))
    values = probing("harbor") if right else probing("harbor") | {"password": "another-1"}
    draft = read_draft(typed("harbor-prod", "team-b", **values))
    services().store.create(replace(draft, origin=Origin(source.key, source.uid)))
    namespaces(cast, "team-c")
    client = cast.htmx()
    client.post(plan(client, [source], "team-c")[1])

    assert verify(cast).verification.status is VerifyStatus.SUCCESS

    assert stored(cast)["team-c/harbor-prod"].verification.status is VerifyStatus.SUCCESS
    assert stored(cast)["team-b/harbor-prod"].verification.status is VerifyStatus.UNTESTED


def test_a_copy_that_was_deleted_and_written_by_somebody_else_is_told_no_verdict(
    cast: Cast, probing: Probing
) -> None:
    source = cast.add(**probing("harbor"))
    client = cast.htmx()
    client.post(plan(client, [source], "team-b")[1])
    made = stored(cast)["team-b/harbor-prod"]
    again = services().store.draft(made.key, uid=made.uid)
    services().store.delete(made.key, uid=made.uid)
    services().store.create(again)

    verify(cast)

    assert stored(cast)["team-b/harbor-prod"].origin == made.origin
    assert stored(cast)["team-b/harbor-prod"].verification.status is VerifyStatus.UNTESTED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("another", [False, True])
def test_what_was_added_and_cannot_be_copied_now_is_said_to_be_there(
    transactional_db: None, cast: Cast, settings: Any, another: bool
) -> None:
    settings.TEST_THREADS = 2
    held, threads, owner = threading.Event(), services().run_threads, cast.access("olive").owner
    values = typed() | {"also": ["team-b"]} | ({"another": "yes"} if another else {})
    try:
        for _ in range(2):
            threads.submit(held.wait, owner)

        answer = cast.htmx().post(ADD, values)
    finally:
        held.set()

    told = answer.content.decode() if another else json.loads(answer["HX-Trigger"])["toast"]["text"]
    assert "未复制到其他命名空间。请求过多" in told
    assert list(stored(cast)) == ["team-a/harbor-prod"]
    assert wait_for(lambda: not services().history.under_way([it.uid for it in stored(cast).values()]))
