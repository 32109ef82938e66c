"""In whose name a rule acts, and what becomes of it without this person."""

import pytest
from django.contrib.auth.models import User

from registries.domain.access import EVERYWHERE, Role
from registries.domain.errors import Forbidden
from registries.domain.registry import Key
from registries.models import AuditEntry, SyncRule
from registries.people.grants import access_of, remove_grant, set_grant
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.sync.following import ALL, change, delete, followed, keep, password, turn


@pytest.mark.parametrize("lost", ["the role", "the account", "active"])
def test_a_rule_pauses_when_its_owner_may_no_more(cast: Cast, lost: str) -> None:
    source, user = followed(cast), cast.users["olive"]
    if lost == "the role":
        remove_grant(user, EVERYWHERE)
        set_grant(user, "team-a", Role.ADMIN)
        set_grant(user, "team-b", Role.ADMIN)
    elif lost == "the account":
        user.delete()
    else:
        user.is_active = False
        user.save()
    change(cast, source, "another-1")  # with the access that was
    turn()

    assert SyncRule.objects.get().state == "no_right"
    assert password(Key("team-b", "harbor-prod")) == CANARY

    other = User.objects.create(username="otto")
    set_grant(other, EVERYWHERE, Role.ADMIN)
    services().sync_rules.set_up(access=access_of(other), source=cast.find(), selection=ALL)
    assert turn() == {"team-b": "in_step"}
    assert password(Key("team-b", "harbor-prod")) == "another-1"


@pytest.mark.parametrize("person", ["nina", "omar", "vic"])
def test_a_rule_takes_the_role_in_all_namespaces(cast: Cast, person: str) -> None:
    source, access, rules = cast.add(), cast.access(person), services().sync_rules
    for ask in (rules.set_up, rules.preview):
        with pytest.raises(Forbidden):
            ask(access=access, source=source, selection=ALL)
    keep(cast, source)
    turn()
    with pytest.raises(Forbidden):
        rules.end(access=access, source=source)
    with pytest.raises(Forbidden):
        rules.solve(access=access, source=source, namespace="team-b", uid="")
    view = rules.view(access=access, registry=source)
    assert view is not None
    assert not view.copies, "they do not see team-b"


def test_what_a_rule_does_is_in_the_journal_as_its_owners(cast: Cast) -> None:
    source = followed(cast)
    change(cast, source, "another-1")
    turn()

    found = AuditEntry.objects.filter(namespace="team-b", source="rule").order_by("pk")
    assert [(it.person, it.action) for it in found] == [("olive", "copy"), ("olive", "password")]
    assert AuditEntry.objects.filter(action="sync", note="on", source="127.0.0.1").count() == 1


@pytest.mark.parametrize("owner", ["there", "without the role", "without the account"])
def test_a_rule_goes_with_its_source_whatever_became_of_its_owner(cast: Cast, owner: str) -> None:
    source = followed(cast)
    delete(cast, source, forget=True)
    if owner == "without the role":
        remove_grant(cast.users["olive"], EVERYWHERE)
    elif owner == "without the account":
        cast.users["olive"].delete()

    turn()

    assert not SyncRule.objects.exists()
