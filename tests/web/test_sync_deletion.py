"""Each dialog that deletes says what it means for rules that keep registries in sync, and asks about copies."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from registries.domain.registry import RegistrySecret
from registries.models import SyncRule
from tests.cast import Cast
from tests.sync.following import change, create_namespace, in_b, keep, states, turn
from tests.web.copies import stored
from tests.web.test_delete_many import PATH, propose

ENDS, MADE, AWAITED = "规则随之结束", "规则不会自动再次创建", "规则正在等待"
TEXTS = (ENDS, MADE, AWAITED)


def asked(client: Client, *registries: RegistrySecret) -> str:
    """The dialog that deletes these."""
    if len(registries) > 1:
        return propose(client, list(registries))[0]
    found = registries[0]
    return client.get(reverse("registries:delete", args=(found.namespace, found.name))).content.decode()


def a_source(cast: Cast) -> RegistrySecret:
    return cast.find()


def a_copy(cast: Cast) -> RegistrySecret:
    return in_b(cast)


def a_changed_copy(cast: Cast) -> RegistrySecret:
    return cast.find(namespace="changed")


def of_somebody_else(cast: Cast) -> RegistrySecret:
    return cast.find(namespace="taken")


def the_same_of_somebody_else(cast: Cast) -> RegistrySecret:
    return cast.find(namespace="present")


def another(cast: Cast) -> RegistrySecret:
    return cast.find("another")


@pytest.fixture
def ruled(cast: Cast) -> Cast:
    """A rule with a copy in team-b, one that somebody changed, and two names that it waits for."""
    source = cast.add()
    for name in ("taken", "present", "changed"):
        create_namespace(cast, name)
    cast.add(namespace="taken", username="robot")
    cast.add(namespace="present")
    cast.add("another")
    keep(cast, source)
    turn()
    change(cast, a_changed_copy(cast), "by-hand-1")
    turn()
    assert set(states().values()) == {"in_step", "name_taken", "present", "changed"}
    return cast


SAID: dict[Callable[[Cast], RegistrySecret], str] = {
    a_source: ENDS,
    a_copy: MADE,
    a_changed_copy: "",
    of_somebody_else: AWAITED,
    the_same_of_somebody_else: AWAITED,
    another: "",
}


@pytest.mark.parametrize("one", SAID)
def test_the_dialog_for_one_says_it(ruled: Cast, one: Callable[[Cast], RegistrySecret]) -> None:
    shown = asked(ruled.htmx(), one(ruled))

    assert [it for it in TEXTS if it in shown] == [it for it in (SAID[one],) if it]
    assert ('name="copies"' in shown) is (one is a_source)
    assert ("撤销前先删除规则创建的副本" in shown) is (SAID[one] == AWAITED), (
        "else the undo finds the name taken"
    )


@pytest.mark.parametrize("one", SAID)
def test_the_dialog_for_many_says_it_and_names_them(
    ruled: Cast, one: Callable[[Cast], RegistrySecret]
) -> None:
    second = another(ruled) if one is not another else ruled.add("fourth")

    shown = asked(ruled.htmx(), one(ruled), second)

    said = re.findall(r'check-warn">.*?</svg><span>(.*?)</span></p>', shown, re.DOTALL)
    assert len(said) == (1 if SAID[one] else 0)
    assert all(f'<code class="unbroken">{one(ruled).key}</code>' in it and "another" not in it for it in said)
    assert ("batch-with-copies" in shown) is (one is a_source)


def test_with_the_source_nothing_is_said_of_its_copies(ruled: Cast) -> None:
    shown = asked(ruled.htmx(), *(one(ruled) for one in SAID if one is not another))

    assert ENDS in shown
    assert MADE not in shown
    assert AWAITED not in shown
    assert "batch-with-copies" not in shown, "its one unchanged copy is selected already"


def test_what_is_said_comes_true(ruled: Cast) -> None:
    client = ruled.htmx()
    doomed = [a_copy(ruled), a_changed_copy(ruled), of_somebody_else(ruled)]
    _, start = propose(client, doomed)
    client.post(start, {"count": "3"})

    assert turn() == {"team-b": "deleted", "changed": "deleted", "present": "present", "taken": "in_step"}


@pytest.mark.parametrize("with_copies", [False, True])
def test_a_run_deletes_the_copies_only_when_they_were_shown(ruled: Cast, with_copies: bool) -> None:
    client = ruled.htmx()
    shown, start = propose(client, [a_source(ruled), another(ruled)])
    if with_copies:
        found = re.search(r'hx-vals=\'{"with_copies": "([^"]+)"}\'', shown)
        assert found
        shown = client.post(PATH, {"with_copies": found[1], "count": "", "forget": "1"}).content.decode()
        start = re.findall(r'hx-post="([^"]+/start/)"', shown)[0]
        assert "确定删除 3 个" in shown
        assert ">team-b<" in shown
        assert re.search(r'name="forget"[^>]* checked', shown), "what was chosen before stays chosen"
    before = stored(ruled)

    client.post(start, {"count": "3" if with_copies else "2"})

    gone = {"team-a/harbor-prod", "team-a/another", *(["team-b/harbor-prod"] if with_copies else [])}
    assert stored(ruled) == {key: it for key, it in before.items() if key not in gone}
    turn()
    assert stored(ruled) == {key: it for key, it in before.items() if key not in gone}


def test_a_wrong_count_says_it_again(ruled: Cast) -> None:
    client = ruled.htmx()
    _, start = propose(client, [a_source(ruled), another(ruled)])

    shown = client.post(start, {"count": "9"}).content.decode()

    assert "batch-with-copies" in shown
    assert "规则" in shown


@pytest.mark.parametrize("run", ["", "nothing", "0b6f4a54-5a0e-4bb4-9a1b-0f2f5b6c7d8e"])
def test_copies_of_an_unknown_run_are_not_found(ruled: Cast, run: str) -> None:
    assert ruled.htmx().post(PATH, {"with_copies": run}).status_code == 404


def test_copies_of_the_run_of_another_person_are_not_found(ruled: Cast) -> None:
    shown, _ = propose(ruled.htmx(), [a_source(ruled), another(ruled)])
    run = re.findall(r'"with_copies": "([^"]+)"', shown)[0]

    assert ruled.htmx("nina").post(PATH, {"with_copies": run}).status_code == 404


def test_who_may_set_up_no_rule_is_told_and_not_asked(ruled: Cast) -> None:
    client = ruled.htmx("nina")
    one, many = asked(client, a_source(ruled)), asked(client, a_source(ruled), another(ruled))

    assert ENDS in one
    assert "team-a/harbor-prod" in many
    for shown in (one, many):
        assert "team-b" not in shown
        assert 'name="copies"' not in shown
        assert "batch-with-copies" not in shown


def test_where_the_source_is_gone_nothing_is_awaited(ruled: Cast) -> None:
    client = ruled.htmx()
    source = a_source(ruled)
    client.post(f"/registries/team-a/{source.name}/delete/", {"uid": source.uid, "confirm": source.name})
    turn()
    assert SyncRule.objects.get().state == "source_gone"

    shown = asked(client, of_somebody_else(ruled))

    assert not [it for it in TEXTS if it in shown]
