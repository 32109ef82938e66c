"""The histories that the gallery invents: all that a page shows of a registry tells of the same tests."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from registries.audit.log import events_of
from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.registry import Key, RegistrySecret
from registries.intake import read_draft
from registries.models import ScheduledCredential, StateChange, VerificationRecord
from registries.probe.result import Reason, Result
from registries.schedule import days
from registries.schedule.state import State
from registries.web.registry import watched
from registries.wiring import services
from tests.gallery.histories import DAILY, SIX_HOURS, many, write

NOW = datetime.now(UTC).replace(microsecond=0)
OLIVE = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])


@pytest.fixture
def registry(db: None) -> RegistrySecret:
    services().registries.create_namespace(access=OLIVE, name="team-a")
    typed = {"name": "harbor", "namespace": "team-a", "provider": "harbor", "domain": "harbor.example.com"}
    return services().registries.create(
        access=OLIVE, draft=read_draft({**typed, "username": "olive", "password": "x"})
    )


@pytest.mark.parametrize("apart", [DAILY, SIX_HOURS])
@pytest.mark.parametrize(
    "reason",
    [Reason.OK, Reason.BAD_CREDENTIALS, Reason.TLS_EXPIRED, Reason.RATE_LIMITED, Reason.OK_UNVERIFIED],
)
def test_all_parts_agree(registry: RegistrySecret, reason: Reason, apart: timedelta) -> None:
    write(OLIVE, registry, many(Result(reason), NOW, apart), apart)

    shown = services().registries.find(access=OLIVE, key=Key("team-a", "harbor"))
    tests = services().history.recent(shown.uid)
    assert (shown.verification.reason, shown.verification.at) == (reason, NOW)
    assert (tests[0].started_at, tests[0].person) == (NOW, "olive")
    newest, added = events_of(shown)
    assert (newest.action, newest.at, newest.note) == ("test", NOW, reason)
    assert added.action == "create"
    records = days.of(shown.uid, timezone.localdate(NOW) - timedelta(days=90))
    assert shown.created_at < added.at + timedelta(seconds=1)
    assert timezone.localdate(shown.created_at) <= records[0].day

    row = ScheduledCredential.objects.get(registries__uid=shown.uid)
    changes = list(StateChange.objects.filter(uid=shown.uid).order_by("at"))
    good = reason.ok or reason is Reason.RATE_LIMITED
    assert row.state == row.settled == changes[-1].after == (State.OK if good else State.FAILING)
    assert row.tested_at == NOW
    assert {it.at for it in changes if it.at > NOW - timedelta(days=29)} <= set(
        VerificationRecord.objects.filter(uid=shown.uid).values_list("started_at", flat=True)
    )
    failed = [it.day for it in records if it.failed]
    for change in changes:
        assert change.after != State.FAILING or timezone.localdate(change.at) in failed
    seen = watched.of(shown, NOW)
    assert {"w", "x", "-"} <= {it.mark for it in seen.days}
    assert (seen.days[-1].kind == "bad") == (not good)


def test_a_calm_one_never_failed(registry: RegistrySecret) -> None:
    write(OLIVE, registry, many(Result(Reason.OK), NOW, DAILY, calm=True))

    seen = watched.of(registry, NOW)
    assert {it.mark for it in seen.days} == {"o"}
    assert [share for _, share in seen.availability] == ["100%"] * 3
