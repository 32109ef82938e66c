"""One dialog adds into several namespaces, and one test is enough for the copies."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from registries.domain.access import Role
from registries.domain.registry import Origin
from registries.models import AuditEntry, VerificationRecord
from registries.people.grants import set_grant
from registries.wiring import services
from tests import canary
from tests.cast import Cast, typed
from tests.web.copies import ADD, htmx, namespaces, plan, stored


def added(client: Client, *also: str, **values: str) -> str:
    return client.post(ADD, {**typed(**values), "also": list(also)}).content.decode()


def test_one_dialog_adds_into_several_namespaces(cast: Cast) -> None:
    namespaces(cast, "team-c", "team-d", "team-e")
    there = cast.add(namespace="team-d", password="another-1")

    shown = added(htmx(cast), "team-a", "team-b", "team-c", "team-d", "team-e")

    now = stored(cast)
    assert set(now) == {f"team-{it}/harbor-prod" for it in "abcde"}
    assert now["team-d/harbor-prod"] == there
    source = now["team-a/harbor-prod"]
    assert all(now[f"team-{it}/harbor-prod"].origin == Origin(source.key, source.uid) for it in "bce")
    assert "已创建 3 / 4" in shown
    assert "team-d/harbor-prod" in shown, "why not there"
    assert AuditEntry.objects.filter(action="test").count() + VerificationRecord.objects.count() >= 1
    assert VerificationRecord.objects.values("uid").distinct().count() == 1, "the test is made once"


@pytest.mark.parametrize("also", ["team-b", "team-z", "", "' OR 1=1"])
def test_nothing_is_added_where_one_may_not(cast: Cast, also: str) -> None:
    set_grant(cast.users["nina"], "team-b", Role.OPERATOR)

    added(htmx(cast, "nina"), also)

    assert list(stored(cast)) == ["team-a/harbor-prod"]


def test_a_form_with_an_error_adds_nowhere_and_keeps_the_choice(cast: Cast) -> None:
    shown = added(htmx(cast), "team-b", name="Not Valid")

    assert not stored(cast)
    assert re.search(r'name="also" value="team-b" checked', shown)
    assert canary.CANARY not in shown


@pytest.mark.parametrize("password_of_copy", ["same", "another-1"])
def test_the_verdict_of_the_one_test_reaches_copies_with_this_credential(
    cast: Cast, probing: Callable[[str], dict[str, str]], password_of_copy: str
) -> None:
    """The copies are made while the test of the source goes on."""
    source, other = cast.add(**probing("harbor")), cast.add("other", **probing("harbor"))
    client = htmx(cast)
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
    client = htmx(cast)
    client.post(plan(client, [source], "team-b")[1])

    htmx(cast, "omar").post("/registries/team-a/harbor-prod/verify/")

    assert stored(cast)["team-b/harbor-prod"].verification.status.value == "untested"
