"""The copies of a credential: which are offered, and that they change one after the other behind a connected test."""

import re
from typing import Any

import pytest
from django.test import Client

from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.service.copies import Copies, CopyState
from registries.wiring import services
from tests.cast import Cast
from tests.web.test_password import PATH, Probing, posted, stored

COPIES = f"{PATH}copies/"


def hidden(html: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html):
        fields.setdefault(name, []).append(value)
    for value in re.findall(r'<input type="checkbox" name="copies" value="([^"]*)" checked>', html):
        fields.setdefault("copies", []).append(value)
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def offered(html: str) -> dict[str, tuple[bool, bool]]:
    """Of each copy: whether it is checked, and whether it can be."""
    found = re.findall(r'name="copies" value="([^"]+)"([^>]*)>\s*<span>\s*<span class="mono">([^<]+)<', html)
    return {name: ("checked" in rest, "disabled" not in rest) for _, rest, name in found}


def to_the_end(client: Client, answer: Any, password: str) -> str:
    """What the page shows when it sends itself no more."""
    html: str = answer.content.decode()
    while "load delay" in html:
        answer = client.post(COPIES, {**hidden(html), "password": password})
        html = answer.content.decode()
    return html


@pytest.fixture
def five(cast: Cast, probing: Probing) -> dict[str, RegistrySecret]:
    """One with copies: the same password, another one, another user name, and in another namespace."""
    values = {**probing("harbor"), "password": "old-password"}
    return {
        "first": cast.add(**values),
        "same": cast.add("same", **values),
        "differs": cast.add("differs", **{**values, "password": "third-password"}),
        "user": cast.add("user", **{**values, "username": "somebody"}),
        "far": cast.add("far", "team-b", **values),
    }


def test_those_with_the_same_password_are_chosen(cast: Cast, five: dict[str, RegistrySecret]) -> None:
    of_olive = offered(cast.client("olive").get(PATH).content.decode())
    of_nina = offered(cast.client("nina").get(PATH).content.decode())

    near = {"team-a/differs": (False, True), "team-a/same": (True, True)}
    assert of_olive == {**near, "team-b/far": (True, True)}
    assert of_nina == near  # another namespace does not exist for her


def test_where_one_may_only_look_nothing_is_compared(cast: Cast, five: dict[str, RegistrySecret]) -> None:
    from registries.domain.access import Access, Role

    access = Access.from_grants("x", [("team-a", Role.ADMIN), ("team-b", Role.VIEWER)])
    states = {
        it.registry.name: it.state for it in services().copies.of(access=access, registry=five["first"])
    }

    assert states == {"same": CopyState.SAME, "differs": CopyState.DIFFERS, "far": CopyState.FORBIDDEN}


def test_a_comparison_is_a_guess_and_there_are_few(cast: Cast, five: dict[str, RegistrySecret]) -> None:
    """Otherwise who may add registries could guess at the password of another one, without a request to anybody."""
    copies: Copies = services().copies
    seen = [
        {it.state for it in copies.of(access=cast.access("nina"), registry=five["first"])} for _ in range(11)
    ]

    assert seen[9] == {CopyState.SAME, CopyState.DIFFERS}
    assert seen[10] == {CopyState.UNKNOWN}


def test_the_chosen_ones_follow_once_the_first_has_connected(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret]
) -> None:
    client, right = cast.client("olive", hx_request="true"), probing("harbor")["password"]
    chosen = [five["same"].uid, five["far"].uid]

    answer = posted(client, password=right, anyway="1", copies=chosen)  # type: ignore[arg-type]
    begun = answer.content.decode()
    passwords = {stored("same"), stored("far", "team-b")}
    end = to_the_end(client, answer, right)

    assert passwords == {"old-password"}, "not before the test of the first"
    assert hidden(begun)["copies"] == chosen
    assert "copies-done" in end
    assert hidden(end)["done"] == chosen
    for name, registry in five.items():
        now = cast.find(registry.name, registry.namespace)
        expected = right if name in ("first", "same", "far") else {"differs": "third-password"}.get(name)
        assert now.uid == registry.uid
        assert stored(registry.name, registry.namespace) == (expected or "old-password")
    assert cast.find("same").verification.status is VerifyStatus.SUCCESS


def test_a_wrong_password_stops_at_the_first(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret]
) -> None:
    client = cast.client("olive", hx_request="true")
    answer = posted(client, password="wrong", anyway="1", copies=[five["same"].uid])  # type: ignore[arg-type]
    stopped = to_the_end(client, answer, "wrong")
    kept = stored("same")
    forced = client.post(COPIES, {**hidden(stopped), "password": "wrong"}).content.decode()

    assert (stored(), kept) == ("wrong", "old-password")
    assert 'name="anyway"' in stopped
    assert ("copies-done" in forced, stored("same")) == (True, "wrong")


def test_a_failure_stops_and_can_be_tried_again(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret]
) -> None:
    client, right = cast.client("olive", hx_request="true"), probing("harbor")["password"]
    chosen = [five["same"].uid, five["differs"].uid, five["far"].uid]
    answer = posted(client, password=right, anyway="1", copies=chosen)  # type: ignore[arg-type]
    services().registries.delete(
        access=cast.access("olive"), key=five["differs"].key, uid=five["differs"].uid
    )
    end = to_the_end(client, answer, right)

    assert "copies-done" not in end
    assert (hidden(end)["done"], hidden(end)["copies"]) == (chosen[:1], chosen[1:])
    assert (stored("same"), stored("far", "team-b")) == (right, "old-password")
    again = {**hidden(end), "copies": chosen[2:], "password": right}
    assert "copies-done" in to_the_end(client, client.post(COPIES, again), right)
    assert stored("far", "team-b") == right


@pytest.mark.parametrize("person", ["nina", "olive"])
def test_only_copies_are_changed_whatever_is_sent(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret], person: str
) -> None:
    """Another user name, and for nina another namespace."""
    client, right = cast.client(person, hx_request="true"), probing("harbor")["password"]
    other = five["user"] if person == "olive" else five["far"]

    answer = posted(client, password=right, anyway="1", copies=[other.uid])  # type: ignore[arg-type]
    end = to_the_end(client, answer, right)

    assert "copies-done" not in end
    assert stored(other.name, other.namespace) == "old-password"
    if person == "nina":
        assert "team-b" not in end


def test_one_that_was_created_again_is_not_touched(
    cast: Cast, probing: Probing, five: dict[str, RegistrySecret]
) -> None:
    client = cast.client("olive", hx_request="true")
    form = {"uid": "another", "copies": [five["same"].uid], "password": "x", "anyway": "1"}

    assert client.post(COPIES, form).status_code == 409
    assert stored("same") == "old-password"
