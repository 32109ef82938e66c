"""A source that was deleted and created again: its copies and its rule can be linked to the new one, with a preview."""

import re
from dataclasses import replace
from typing import Any

import pytest

from registries.domain.registry import Key, RegistrySecret
from registries.models import AuditEntry, SyncRule
from registries.sync.rows import Selection
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.sync.following import change, create_namespace, in_b, keep, password, turn
from tests.web.copies import stored

ONE = "/registries/team-a/harbor-prod/"
RELINK = f"{ONE}relink/"


def copy(cast: Cast, source: RegistrySecret, namespace: str) -> RegistrySecret:
    key = Key(namespace, source.name)
    services().copying.copy(access=cast.access("olive"), key=key, uid=source.uid)
    return cast.find(namespace=namespace)


def delete(cast: Cast, registry: RegistrySecret, *, forget: bool = False) -> None:
    services().registries.delete(
        access=cast.access("olive"), key=registry.key, uid=registry.uid, forget=forget
    )


def panel(cast: Cast, person: str = "olive") -> str:
    return cast.htmx(person).get(f"{ONE}relatives/").content.decode()


def link(cast: Cast, *copies: RegistrySecret, person: str = "olive", **more: Any) -> Any:
    form = {"uid": cast.find().uid, "copies": [it.uid for it in copies], **more}
    return cast.htmx(person).post(RELINK, form)


@pytest.fixture
def again(cast: Cast) -> Cast:
    """Copies in three namespaces; one has another password, one another address. The source was created again."""
    source = cast.add()
    for name in ("team-c", "moved"):
        create_namespace(cast, name)
    for name in ("team-b", "team-c", "moved"):
        copy(cast, source, name)
    change(cast, cast.find(namespace="team-c"), "another-1")
    old = services().replacement.before(
        access=cast.access("olive"), key=Key("moved", "harbor-prod"), uid=cast.find(namespace="moved").uid
    )
    services().replacement.put(
        access=cast.access("olive"),
        uid=cast.find(namespace="moved").uid,
        old=old,
        new=replace(old, domain="elsewhere.example.com"),
        replacing=True,
        replace_now=lambda: None,
    )
    delete(cast, source)
    cast.add()
    return cast


def test_the_page_says_it_and_the_dialog_shows_what_can_be_linked(again: Cast) -> None:
    assert "3 个副本" in panel(again)
    shown = again.htmx().get(RELINK).content.decode()

    boxes = re.findall(r'name="copies" value="([^"]+)" (checked|disabled)', shown)
    places = {again.find(namespace=it).uid: it for it in ("team-b", "team-c", "moved")}
    assert {places[uid]: state for uid, state in boxes} == {
        "team-b": "checked",
        "team-c": "checked",
        "moved": "disabled",
    }
    assert CANARY not in shown


def test_exactly_the_chosen_copies_are_linked(again: Cast) -> None:
    before, chosen = stored(again), [again.find(namespace=it) for it in ("team-b", "moved")]

    response = link(again, *chosen)

    assert response.status_code == 200
    after = stored(again)
    changed = [key for key in after if after[key] != before[key]]
    assert changed == ["team-b/harbor-prod"], "moved has another address, and team-c was not chosen"
    origin = in_b(again).origin
    assert origin is not None
    assert origin.uid == again.find().uid
    assert password(in_b(again).key) == CANARY
    assert AuditEntry.objects.filter(action="sync", note="linked").values_list("namespace").get() == (
        "team-b",
    )
    assert "2 个副本" in panel(again)
    assert f"{ONE.replace('team-a', 'team-b')}align/" not in panel(again), "it is alike"


def test_a_linked_copy_can_be_aligned(again: Cast) -> None:
    assert "team-c/harbor-prod/align/" not in panel(again)

    link(again, again.find(namespace="team-c"))

    assert "team-c/harbor-prod/align/" in panel(again)


def test_a_form_for_an_earlier_registry_links_nothing(again: Cast) -> None:
    before = stored(again)

    assert again.htmx().post(RELINK, {"uid": "another", "copies": [in_b(again).uid]}).status_code == 409
    assert stored(again) == before


@pytest.mark.parametrize(("person", "code"), [("nina", 404), ("omar", 403), ("vic", 403), ("sam", 404)])
def test_who_may_not_write_there_links_nothing(again: Cast, person: str, code: int) -> None:
    """nina does not see the other namespaces."""
    before = stored(again)

    assert "relink" not in panel(again, person)
    assert link(again, in_b(again), person=person).status_code == code
    assert stored(again) == before


def test_without_copies_there_is_nothing_to_link(cast: Cast) -> None:
    source = cast.add()
    copy(cast, source, "team-b")

    assert "relink" not in panel(cast)
    assert cast.htmx().get(RELINK).status_code == 404


@pytest.fixture
def ruled(cast: Cast) -> Cast:
    """A rule whose source was deleted and created again with another password."""
    create_namespace(cast, "team-c")
    source = cast.add()
    keep(cast, source)
    turn()
    change(cast, cast.find(namespace="team-c"), "by-hand-1")
    turn()
    delete(cast, source)
    turn()
    cast.add(password="another-1")
    assert SyncRule.objects.get().state == "source_gone"
    return cast


def test_the_rule_is_taken_over_and_its_copies_follow(ruled: Cast) -> None:
    assert "former-title" in panel(ruled)
    assert 'name="rule"' in ruled.htmx().get(RELINK).content.decode()
    assert link(ruled, rule="1").status_code == 200

    assert turn() == {"team-b": "in_step", "team-c": "changed"}
    assert password(in_b(ruled).key) == "another-1"
    assert password(Key("team-c", "harbor-prod")) == "by-hand-1"
    assert SyncRule.objects.get().uid == ruled.find().uid
    origin = in_b(ruled).origin
    assert AuditEntry.objects.filter(action="sync", note="moved").exists()
    assert origin is not None
    assert link(ruled, rule="1").status_code in (404, 409)


def test_the_rule_stays_unless_it_is_chosen(ruled: Cast) -> None:
    link(ruled, in_b(ruled))

    assert turn()["team-b"] == "in_step"
    assert password(in_b(ruled).key) == CANARY
    assert SyncRule.objects.get().state == "source_gone"


@pytest.mark.parametrize("why", ["another address", "a rule of its own", "no right"])
def test_a_rule_that_does_not_fit_is_not_offered(ruled: Cast, why: str) -> None:
    person = "olive"
    if why == "another address":
        delete(ruled, ruled.find())
        ruled.add(domain="other.example.com")
    elif why == "a rule of its own":
        keep(ruled, ruled.find(), Selection(names=("team-z",)))
    else:
        person = "nina"

    assert 'name="rule"' not in ruled.htmx(person).get(RELINK).content.decode()
    response = link(ruled, person=person, rule="1")
    assert response.status_code in (403, 404, 409)
    assert SyncRule.objects.filter(uid=ruled.find().uid).exists() is (why == "a rule of its own")
    turn()
    assert password(in_b(ruled).key) == CANARY


def test_after_an_undone_deletion_the_rule_knows_its_source(cast: Cast) -> None:
    """The rule moved with the undo; the copies still name the former uid and can be linked."""
    source = cast.add()
    keep(cast, source)
    turn()
    delete(cast, source)
    services().undo.restore(access=cast.access("olive"), key=source.key, uid=source.uid)
    turn()

    shown = cast.htmx().get(RELINK).content.decode()
    assert 'name="rule"' not in shown
    link(cast, in_b(cast))
    origin = in_b(cast).origin
    assert origin is not None
    assert origin.uid == cast.find().uid
    assert turn() == {"team-b": "in_step"}
