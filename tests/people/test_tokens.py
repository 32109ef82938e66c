"""API tokens: what they open and for how long, what is written down of them, and that they are kept as digests."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from registries.domain.access import Role
from registries.domain.errors import Invalid, NotFound
from registries.models import ApiToken, AuditEntry
from registries.people import grants
from registries.wiring import services
from tests.api.test_api import TEAM_A
from tests.cast import Cast


def ask(text: str, **headers: str) -> int:
    return Client(headers={"authorization": f"Bearer {text}"}).get(TEAM_A, **headers).status_code


def refusals() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(action="token", outcome="Unauthorized").order_by("pk")
    return list(rows.values_list("person", "note"))


def test_is_kept_as_a_digest(cast: Cast) -> None:
    text = cast.token("vic")

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM registries_apitoken")
        kept = repr(cursor.fetchall())
    assert text not in kept
    assert text[12:] not in kept
    assert text[:12] in kept
    assert len(text) >= 4 + 43


def test_notes_when_and_from_where_it_was_used(cast: Cast) -> None:
    text = cast.token("vic")
    begun = timezone.now()

    assert ask(text, REMOTE_ADDR="192.0.2.7") == 200

    [token] = services().tokens.all(access=cast.access("vic"))
    assert token.last_used_from == "192.0.2.7"
    assert token.last_used_at
    assert begun <= token.last_used_at <= timezone.now()


def test_opens_nothing_once_revoked(cast: Cast) -> None:
    text = cast.token("vic")
    [token] = services().tokens.all(access=cast.access("vic"))

    services().tokens.revoke(access=cast.access("vic"), token_id=token.id)

    assert ask(text) == 401
    assert refusals() == [("vic", f"revoked {text[:12]}")]
    assert services().tokens.all(access=cast.access("vic")) == []


def test_opens_nothing_once_expired(cast: Cast) -> None:
    text = cast.token("vic")
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert ask(text) == 401
    assert refusals() == [("vic", f"expired {text[:12]}")]


def test_opens_nothing_while_its_owner_is_inactive(cast: Cast) -> None:
    text = cast.token("vic")
    User.objects.filter(username="vic").update(is_active=False)

    assert ask(text) == 401
    assert refusals() == [("vic", f"inactive {text[:12]}")]


def test_goes_with_its_owner(cast: Cast) -> None:
    text = cast.token("vic")
    User.objects.filter(username="vic").delete()

    assert ask(text) == 401


def test_follows_what_its_owner_holds(cast: Cast) -> None:
    text = cast.token("vic")
    grants.remove_grant(cast.users["vic"], "team-a")

    assert ask(text) == 404


def test_never_administers(cast: Cast) -> None:
    access, _ = services().tokens.caller(cast.token("olive"), "") or (None, 0)

    assert access
    assert access.sees_everything
    assert not access.administers


def test_of_one_that_is_not_known_nothing_is_kept(cast: Cast) -> None:
    for _ in range(3):
        assert ask("some-other-secret") == 401

    assert refusals() == [("?", "unknown")]
    assert "some-other" not in repr(list(AuditEntry.objects.values()))


def test_is_nobody_elses(cast: Cast) -> None:
    cast.token("vic")
    [token] = services().tokens.all(access=cast.access("vic"))

    with pytest.raises(NotFound):
        services().tokens.revoke(access=cast.access("nina"), token_id=token.id)
    assert services().tokens.all(access=cast.access("nina")) == []


@pytest.mark.parametrize(
    ("name", "days", "problem"),
    [
        ("", 1, "required"),
        ("x" * 65, 1, "too_long_here"),
        ("a\nb", 1, "control_character"),
        ("x", 0, "expiry"),
        ("x", 400, "expiry"),
    ],
)
def test_a_bad_one_is_not_made(cast: Cast, name: str, days: int, problem: str) -> None:
    until = timezone.now() + timedelta(days=days)
    with pytest.raises(Invalid) as caught:
        services().tokens.create(
            access=cast.access("vic"), name=name, namespaces=(), role=Role.VIEWER, expires_at=until
        )

    assert [cause.problem for cause in caught.value.causes] == [problem]


def test_there_is_an_end_to_them(cast: Cast) -> None:
    for _ in range(50):
        cast.token("vic")

    with pytest.raises(Invalid):
        cast.token("vic")


def test_making_and_revoking_is_in_the_journal(cast: Cast) -> None:
    text = cast.token("vic")
    services().tokens.revoke(
        access=cast.access("vic"), token_id=services().tokens.all(access=cast.access("vic"))[0].id
    )

    notes = (
        AuditEntry.objects.filter(action="token", person="vic").order_by("pk").values_list("note", flat=True)
    )
    assert list(notes) == [f"create {text[:12]}", f"revoke {text[:12]}"]
