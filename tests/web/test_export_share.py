"""Exports: a fair share for each person, given back in each case."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from registries.audit import search
from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.registry import Key
from registries.models import AuditEntry, Grant
from registries.web.journal import journal_export
from registries.wiring import services
from registries.wiring.admitting import EXPORTS_AT_ONCE, EXPORTS_PER_MINUTE
from tests.cast import Cast

EXPORT = "/journal/export/"


def export(cast: Cast, person: str) -> Any:
    """The response, of which nothing was read."""
    return cast.client(person).get(EXPORT)


def refused(response: Any) -> bool:
    if response.status_code == 200:
        return False
    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 60
    assert f"{response.headers['Retry-After']} 秒" in response.content.decode()
    return True


def test_one_person_has_one_at_a_time(cast: Cast) -> None:
    held = export(cast, "nina")
    assert not refused(held)

    assert refused(export(cast, "nina"))
    assert not refused(export(cast, "olive"))
    assert AuditEntry.objects.filter(action="export", person="nina").count() == 1


def test_few_are_made_at_once(cast: Cast) -> None:
    people = [it for it in cast.users if it != "sam"]
    held = [export(cast, it) for it in people[:EXPORTS_AT_ONCE]]
    assert not any(map(refused, held))

    assert refused(export(cast, people[EXPORTS_AT_ONCE]))
    b"".join(held[0])
    assert not refused(export(cast, people[EXPORTS_AT_ONCE]))


def read(response: Any) -> None:
    assert b"".join(response)


def leave(response: Any) -> None:
    """The client goes in the middle: the server closes what it was sending."""
    next(iter(response))
    leave_at_once(response)


def leave_at_once(response: Any) -> None:
    for close in response._resource_closers:
        close()


@pytest.mark.parametrize("end", [read, leave, leave_at_once])
def test_the_next_one_follows_at_once(cast: Cast, end: Callable[[Any], None]) -> None:
    kept = []
    for _ in range(EXPORTS_PER_MINUTE):
        response = export(cast, "nina")
        assert not refused(response)
        end(response)
        kept.append(response)  # a forgotten one would give its seat back as well

    assert refused(export(cast, "nina")), "of one minute"
    assert not refused(export(cast, "olive"))


@pytest.mark.parametrize("broken", ["query", "part"])
def test_an_error_gives_the_seat_back(cast: Cast, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def fail(*_: object) -> list[Any]:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(search, {"query": "newest_ids", "part": "by_id"}[broken], fail)
        client: Client = cast.client("nina")
        with pytest.raises(OSError):
            b"".join(client.get(EXPORT))  # type: ignore[arg-type]

    assert services().export_seats.take(cast.access("nina").owner)


def test_it_is_made_in_parts(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most one part of the entries is in memory."""
    monkeypatch.setattr(journal_export, "AT_ONCE", 2)
    asked: list[int] = []
    by_id = search.by_id

    def counted(access: Access, ids: Sequence[int]) -> list[AuditEntry]:
        asked.append(len(ids))
        return by_id(access, ids)

    monkeypatch.setattr(search, "by_id", counted)
    for number in range(5):
        services().audit.record(cast.access("nina"), Action.SEE, key=Key("team-a", f"n{number}"))

    parts = iter(export(cast, "nina"))
    next(parts)
    assert asked == []
    assert len(list(parts)) == len(asked) > 1
    assert max(asked) == 2


@pytest.mark.parametrize("lost", ["role", "account", "namespace"])
def test_rights_taken_away_end_it(cast: Cast, monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    """A slow client takes minutes for a file."""
    monkeypatch.setattr(journal_export, "AT_ONCE", 2)
    for number in range(8):
        services().audit.record(cast.access("nina"), Action.SEE, key=Key("team-a", f"n{number}"))
    parts = iter(export(cast, "vic"))
    seen = b"".join([next(parts), next(parts)]).decode()

    if lost == "role":
        Grant.objects.filter(user=cast.users["vic"]).delete()
    elif lost == "account":
        User.objects.filter(username="vic").update(is_active=False)
    else:
        services().audit.close_namespace("team-a")

    assert "team-a" in seen
    assert "team-a" not in b"".join(parts).decode()
