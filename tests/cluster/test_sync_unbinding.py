"""A rule that is switched off unbinds what it bound: nothing that was bound before, and nothing of a person."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from registries.cluster.paths import secret
from registries.domain.access import EVERYWHERE, Role
from registries.domain.registry import Key
from registries.models import AuditEntry, SyncCopy, SyncRule
from registries.people.grants import remove_grant, set_grant
from registries.sync.rows import Selection
from registries.wiring import services
from tests.cast import Cast
from tests.cluster.test_sync import bound, cast_there
from tests.peers.api_server import ApiServer
from tests.sync.following import change, turn
from tests.web.sync_pages import URL, values

__all__ = ["cast_there"]
pytestmark = pytest.mark.django_db(transaction=True)
ACCOUNTS = "/api/v1/namespaces/{}/serviceaccounts"
COPY = Key("team-b", "harbor-prod")
ANOTHER = "sync-c"


def account(server: ApiServer, place: str, *named: str) -> None:
    """A default service account that names these pull secrets."""
    server.call("DELETE", f"{ACCOUNTS.format(place)}/default")
    body = {"metadata": {"name": "default"}, "imagePullSecrets": [{"name": it} for it in named]}
    assert server.call("POST", ACCOUNTS.format(place), body).status == 201


def ruled(cast: Cast, server: ApiServer, *named: str) -> None:
    """A rule that keeps copies in two namespaces and binds them."""
    account(server, COPY.namespace, "theirs", *named)
    account(server, ANOTHER)
    selection = Selection(names=(COPY.namespace, ANOTHER))
    access, source = cast.access("olive"), cast.add()
    services().sync_rules.set_up(access=access, source=source, selection=selection, bind=True)
    assert turn() == {COPY.namespace: "in_step", ANOTHER: "in_step"}


def bind(cast: Cast, *, bound: bool) -> None:
    found = cast.find(namespace=COPY.namespace)
    services().pull_secrets.bind(access=cast.access("olive"), key=COPY, uid=found.uid, bound=bound)


def by_a_person(cast: Cast, server: ApiServer) -> None:
    bind(cast, bound=False)
    bind(cast, bound=True)


def confirmed_by_a_person(cast: Cast, server: ApiServer) -> None:
    bind(cast, bound=True)


def changed_copy(cast: Cast, server: ApiServer) -> None:
    change(cast, cast.find(namespace=COPY.namespace), "by-hand-1")


def rule_without_binding(cast: Cast, server: ApiServer) -> None:
    """The rule binds no more, but did."""
    selection = Selection(names=(COPY.namespace, ANOTHER))
    services().sync_rules.set_up(access=cast.access("olive"), source=cast.find(), selection=selection)
    turn()


def nothing(cast: Cast, server: ApiServer) -> None: ...


def foreign_secret(cast: Cast, server: ApiServer) -> None:
    services().stop()  # nobody repairs it
    server.call("DELETE", secret(COPY))
    body = {"metadata": {"name": COPY.name}, "type": "Opaque"}
    assert server.call("POST", secret(COPY).rpartition("/")[0], body).status == 201


HISTORIES: dict[str, tuple[Any, tuple[str, ...], bool]] = {
    "bound by the rule": (nothing, (), True),
    "bound before": (nothing, ("harbor-prod",), False),
    "unbound and bound by a person": (by_a_person, (), False),
    "bound by a person as well": (confirmed_by_a_person, (), False),
    "the copy was changed": (changed_copy, (), False),
    "the rule binds no more": (rule_without_binding, (), True),
    "the Secret is somebody else's now": (foreign_secret, (), False),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_only_what_the_rule_bound_is_unbound(cast_there: Cast, server: ApiServer, history: str) -> None:
    happens, before, goes = HISTORIES[history]
    ruled(cast_there, server, *before)
    happens(cast_there, server)
    turn()
    asked = cast_there.htmx().get(f"{URL}off/").content.decode()
    assert 'name="unbind"' in asked, "sync-c is bound in any case"

    cast_there.htmx().post(f"{URL}off/", {**values(asked), "unbind": "1", "copies": "keep"})
    turn()

    assert bound(server, COPY.namespace) == ["theirs", *(() if goes else ("harbor-prod",))]
    assert bound(server, ANOTHER) == []
    assert not SyncRule.objects.exists()
    if happens is foreign_secret:
        assert server.call("DELETE", secret(COPY)).status == 200
    done = AuditEntry.objects.filter(action="unbind", source="rule").values_list("namespace", "person")
    assert set(done) == {(ANOTHER, "olive"), *([(COPY.namespace, "olive")] if goes else [])}


@pytest.mark.parametrize("copies", ["keep", "delete"])
@pytest.mark.parametrize("unbind", ["1", ""])
def test_both_choices_are_done(cast_there: Cast, server: ApiServer, copies: str, unbind: str) -> None:
    ruled(cast_there, server)
    asked = cast_there.htmx().get(f"{URL}off/").content.decode()

    cast_there.htmx().post(f"{URL}off/", {**values(asked), "unbind": unbind, "copies": copies})
    turn()

    names = [] if unbind else ["harbor-prod"]
    assert (bound(server, COPY.namespace), bound(server, ANOTHER)) == (["theirs", *names], names)
    assert _copies() == (set() if copies == "delete" else {COPY.namespace, ANOTHER})
    assert not SyncRule.objects.exists()


def _copies() -> set[str]:
    """The namespaces with a copy on the cluster now."""
    return {it for it in (COPY.namespace, ANOTHER) if services().sync_writes.present(Key(it, COPY.name))}


def test_what_was_not_shown_stays_bound(cast_there: Cast, server: ApiServer) -> None:
    ruled(cast_there, server)
    asked = values(cast_there.htmx().get(f"{URL}off/").content.decode())

    cast_there.htmx().post(f"{URL}off/", {**asked, "bound": [ANOTHER], "unbind": "1"})
    turn()

    assert bound(server, COPY.namespace) == ["theirs", "harbor-prod"]
    assert bound(server, ANOTHER) == []


def test_it_waits_for_a_right_and_goes_on(cast_there: Cast, server: ApiServer) -> None:
    """The person lost the role in between; an ended rule copies nothing meanwhile."""
    ruled(cast_there, server)
    user: User = cast_there.users["olive"]
    asked = values(cast_there.htmx().get(f"{URL}off/").content.decode())
    cast_there.htmx().post(f"{URL}off/", {**asked, "unbind": "1"})
    remove_grant(user, EVERYWHERE)
    change(cast_there, cast_there.find(), "another-1")

    turn()

    assert SyncRule.objects.get().state == "no_right"
    assert bound(server, ANOTHER) == ["harbor-prod"]
    set_grant(user, EVERYWHERE, Role.ADMIN)
    turn()
    assert bound(server, ANOTHER) == []
    assert bound(server, COPY.namespace) == ["theirs"]
    assert (
        services().store.credential(COPY, uid=cast_there.find(namespace="team-b").uid).password != "another-1"
    )


def test_what_was_done_before_a_crash_is_not_done_twice(cast_there: Cast, server: ApiServer) -> None:
    ruled(cast_there, server)
    asked = values(cast_there.htmx().get(f"{URL}off/").content.decode())
    cast_there.htmx().post(f"{URL}off/", {**asked, "unbind": "1"})
    SyncCopy.objects.filter(namespace=ANOTHER).update(made_binding=False, problem="")  # done before the crash
    account(server, ANOTHER, "harbor-prod")  # and a person bound it since

    turn()

    assert bound(server, ANOTHER) == ["harbor-prod"]
    assert not SyncRule.objects.exists()


def test_saving_it_again_keeps_it_on(cast_there: Cast, server: ApiServer) -> None:
    ruled(cast_there, server)
    asked = values(cast_there.htmx().get(f"{URL}off/").content.decode())
    cast_there.htmx().post(f"{URL}off/", {**asked, "unbind": "1"})
    assert "解除绑定" in cast_there.htmx().get(URL).content.decode()
    rule_without_binding(cast_there, server)

    assert SyncRule.objects.get().state == "active"
    assert bound(server, ANOTHER) == ["harbor-prod"]
