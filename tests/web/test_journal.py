"""操作记录: what is written down, and who may read it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from registries.audit import log
from registries.audit.action import Action
from registries.audit.log import DISTINCT, events_of
from registries.domain.access import Access, Role
from registries.domain.errors import Forbidden, NotFound
from registries.domain.registry import Key
from registries.models import AuditEntry
from registries.people.grants import set_grant
from registries.wiring import services
from tests.api.test_api import BASE, MERGE, TEAM_A
from tests.canary import CANARY
from tests.cast import Cast
from tests.web.journal_pages import page as journal


@pytest.fixture(autouse=True)
def no_new_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock hour must not end during a test."""
    monkeypatch.setattr(log, "WINDOW", timedelta(days=10_000))


ONE = "/registries/team-a/harbor-prod/"


def test_people_read_of_their_namespaces_and_of_themselves(cast: Cast) -> None:
    cast.add("mine", "team-a")
    cast.add("harbor-secret", "team-b")
    services().audit.record(cast.access("omar"), Action.LOGIN)
    services().audit.record(cast.access("vic"), Action.LOGIN)

    page = journal(cast, "vic")

    assert "team-a/mine" in page
    assert "harbor-secret" not in page
    assert ">vic</a>" in page, "one's own log-ins"
    assert "omar" not in page, "nobody else's"
    assert "team-b/harbor-secret" in journal(cast, "olive")
    assert "team-a/mine" not in journal(cast, "sam")


def _begin_run(cast: Cast, kind: str) -> object:
    items = [{"namespace": "team-a", "name": "harbor-prod"}]
    return cast.api("vic").post(
        f"{BASE}/runs", {"type": kind, "items": items}, content_type="application/json"
    )


def _ask_for_usage(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        services().pull_secrets.usage(access=cast.access("omar"), keys=[Key("team-a", "harbor-prod")])


ATTEMPTS: dict[str, tuple[Callable[[Cast], object], tuple[str, str, str]]] = {
    "API delete": (
        lambda cast: cast.api("vic").delete(f"{TEAM_A}/harbor-prod"),
        ("vic", "delete", "Forbidden"),
    ),
    "API edit": (
        lambda cast: cast.api("vic").patch(f"{TEAM_A}/harbor-prod", {}, content_type=MERGE),
        ("vic", "edit", "Forbidden"),
    ),
    "API run of deletions": (lambda cast: _begin_run(cast, "delete"), ("vic", "delete", "Forbidden")),
    "API run of tests": (lambda cast: _begin_run(cast, "verify"), ("vic", "test", "Forbidden")),
    "edit": (lambda cast: cast.client("vic").post(f"{ONE}edit/"), ("vic", "edit", "Forbidden")),
    "dialog that deletes": (
        lambda cast: cast.client("omar").get(f"{ONE}delete/"),
        ("omar", "delete", "Forbidden"),
    ),
    "what a deletion is about": (_ask_for_usage, ("omar", "delete", "Forbidden")),
    "a stranger's delete": (
        lambda cast: cast.client("sam").post(f"{ONE}delete/", {"confirm": "harbor-prod"}),
        ("sam", "delete", "NotFound"),
    ),
    "a stranger's look": (lambda cast: cast.client("sam").get(ONE), ("sam", "see", "NotFound")),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_refused_attempt_is_called_what_it_was(cast: Cast, name: str) -> None:
    cast.add()
    attempt, expected = ATTEMPTS[name]

    attempt(cast)

    refused = AuditEntry.objects.filter(name="harbor-prod").exclude(outcome="ok")
    assert list(refused.values_list("person", "action", "outcome")) == [expected]
    assert cast.find()


@pytest.mark.parametrize(("path", "action"), [("batch-delete", "delete"), ("verify", "test")])
def test_what_a_selection_may_not_do_is_refused_one_by_one(cast: Cast, path: str, action: str) -> None:
    set_grant(cast.users["nina"], "team-b", Role.VIEWER)
    chosen = [cast.add("mine"), cast.add("theirs", "team-b"), cast.add("other", "team-b")]
    uids = " ".join(it.uid for it in chosen)

    cast.client("nina").post(f"/registries/-/{path}/", {"uids": uids})
    cast.client("vic").post(f"/registries/-/{path}/", {"uids": uids})

    refused = AuditEntry.objects.exclude(outcome="ok").order_by("pk")
    assert [(it.person, it.action, it.outcome, it.name, it.uid, it.source) for it in refused] == [
        ("nina", action, "Forbidden", "other", chosen[2].uid, "127.0.0.1"),
        ("nina", action, "Forbidden", "theirs", chosen[1].uid, "127.0.0.1"),
        ("vic", action, "Forbidden", "mine", chosen[0].uid, "127.0.0.1"),
    ]


def test_can_be_filtered(cast: Cast) -> None:
    cast.add("a", "team-a")
    cast.add("b", "team-b")
    services().audit.record(cast.access("nina"), Action.DELETE, namespace="team-b")

    assert "team-a/a" not in journal(cast, "olive", namespace="team-b")
    assert "team-b/b" not in journal(cast, "olive", action="delete")
    assert "team-b/b" not in journal(cast, "olive", person="nina")
    assert "team-b/b" in journal(cast, "olive", namespace="team-b", action="create", person="olive")


def test_an_odd_filter_finds_nothing_and_breaks_nothing(cast: Cast) -> None:
    assert (
        cast.client("olive").get("/journal/", {"person": "a\0b", "namespace": "x" * 5000}).status_code == 200
    )


def test_pages_through_everything(cast: Cast) -> None:
    for number in range(60):
        services().audit.record(cast.access("vic"), Action.TEST, namespace="team-a", note=f"n{number}")

    assert "page=2" in journal(cast, "vic")
    for page in ("2", "999", "x"):
        assert "测试" in journal(cast, "vic", page=page)


def test_a_failed_log_in_keeps_a_name_only_when_there_is_such_an_account(cast: Cast) -> None:
    client = cast.client(None)
    client.post("/login/", {"username": "vic", "password": "wrong"})
    client.post("/login/", {"username": "my-password-by-mistake", "password": CANARY})

    entries = AuditEntry.objects.filter(action="login").order_by("pk")

    assert [(it.person, it.outcome) for it in entries] == [("vic", "failed"), ("?", "failed")]


def test_a_very_long_name_does_not_break_the_journal(cast: Cast) -> None:
    client = cast.client("olive")

    response = client.get(f"/registries/team-a/{'x' * 253}/")

    assert response.status_code == 404


REPEATED: dict[str, Callable[[Cast], object]] = {
    "page": lambda cast: cast.client("sam").get(ONE),
    "edit": lambda cast: cast.client("vic").post(f"{ONE}edit/"),
    "API delete": lambda cast: cast.api("vic").delete(f"{TEAM_A}/harbor-prod"),
    "API run": lambda cast: _begin_run(cast, "verify"),
    "usage": _ask_for_usage,
    "log-in": lambda cast: cast.client(None).post("/login/", {"username": "nobody", "password": "wrong"}),
}


@pytest.mark.parametrize("name", REPEATED)
def test_repeated_refusals_are_one_row_with_their_number(cast: Cast, name: str) -> None:
    cast.add()

    for _ in range(4):
        REPEATED[name](cast)

    (entry,) = AuditEntry.objects.exclude(outcome="ok")
    assert entry.count == 4
    assert entry.last_at
    assert entry.last_at > entry.at
    assert "共 4 次，最近一次 <time" in journal(cast, "olive")


def test_repeated_log_ins_and_log_outs_are_one_row_each(cast: Cast) -> None:
    cast.users["vic"].set_password("quiet river 42")
    cast.users["vic"].save()
    client = cast.client(None)
    for _ in range(3):
        assert client.post("/login/", {"username": "vic", "password": "quiet river 42"}).status_code == 302
        client.post("/logout/")

    rows = AuditEntry.objects.filter(person="vic").order_by("pk").values_list("action", "outcome", "count")
    assert list(rows) == [("login", "ok", 3), ("logout", "ok", 3)]
    assert journal(cast, "vic").count("共 3 次，最近一次 <time") == 2


def _invented(cast: Cast, number: int, person: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        services().registries.get(
            access=cast.access(person), key=Key("team-a", f"invented-{number}"), action=Action.DELETE
        )


FLOODS: dict[str, Callable[[Cast, int], object]] = {
    "names, by a viewer": lambda cast, number: _invented(cast, number, "vic"),
    "names, by a stranger": lambda cast, number: _invented(cast, number, "sam"),
    "addresses": lambda cast, number: services().audit.record(
        Access("?", f"2001:db8::{number:x}"), Action.LOGIN, outcome="failed"
    ),
    "namespaces": lambda cast, number: services().audit.record(
        Access("sam"), Action.SEE, key=Key(f"n{number}", "x"), outcome="NotFound"
    ),
    "many at once": lambda cast, number: services().audit.record_all(
        cast.access("vic"), Action.DELETE, [(Key("team-a", f"a{number}"), "")], outcome="Forbidden"
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_different_refusals_is_bounded_and_counted(cast: Cast, name: str) -> None:
    for number in range(DISTINCT + 30):
        FLOODS[name](cast, number)

    refused = AuditEntry.objects.exclude(outcome="ok")
    assert refused.count() == DISTINCT + 1
    assert sum(it.count for it in refused) == DISTINCT + 30
    rest = refused.latest("pk")
    assert (rest.count, rest.namespace, rest.name, rest.source) == (30, "", "", "")


def test_a_selection_beyond_the_bound_is_counted(cast: Cast) -> None:
    items = [(Key("team-a", f"a{number}"), f"uid-{number}") for number in range(2000)]

    services().audit.record_all(cast.access("vic"), Action.DELETE, items, outcome="Forbidden")

    refused = AuditEntry.objects.exclude(outcome="ok")
    assert (refused.count(), sum(it.count for it in refused)) == (DISTINCT + 1, 2000)


@pytest.mark.parametrize("reader", ["nina", "omar", "vic", "sam"])
@pytest.mark.parametrize("name", ["harbor-prod", "text-of-sam"])
def test_only_administrators_read_the_attempts_of_strangers(cast: Cast, reader: str, name: str) -> None:
    registry = cast.add()
    stranger = cast.client("sam")
    stranger.get(f"/registries/team-a/{name}/")
    stranger.post(f"/registries/team-a/{name}/delete/", {"confirm": name})
    cast.api("sam").patch(f"{TEAM_A}/{name}", {}, content_type=MERGE)

    sam = ">sam</a>"
    assert f"team-a/{name}" in journal(cast, "olive", person="sam")
    assert "text-of-sam" not in journal(cast, reader)
    assert reader == "sam" or sam not in journal(cast, reader)
    assert "sam" not in [it.person for it in events_of(registry)]


def test_a_namespace_that_is_created_again_does_not_show_its_old_entries(cast: Cast) -> None:
    access = cast.access("olive")
    set_grant(cast.users["nina"], "team-b", Role.VIEWER)
    services().audit.record(access, Action.TRY, namespace="team-b", note="ok")
    vic = Access.from_grants("vic", [("team-b", Role.VIEWER)])
    services().audit.record(vic, Action.DELETE, key=Key("team-b", "old"), outcome="Forbidden")
    assert "team-b/old" in journal(cast, "nina")

    services().registries.delete_namespace(access=access, name="team-b")
    services().registries.create_namespace(access=access, name="team-b")
    services().audit.record(vic, Action.DELETE, key=Key("team-b", "new"), outcome="Forbidden")

    page = journal(cast, "nina", namespace="team-b")
    assert "team-b/new" in page
    assert "team-b/old" not in page
    assert page.count('<td role="cell" class="mono j-object">') == 2, "the creation and the new attempt"
    assert "team-b/old" in journal(cast, "olive")
