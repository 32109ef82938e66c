"""Runs in every state, and the entries of the audit log, for the gallery."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from django.contrib.auth.models import User

from registries.audit import action as changes
from registries.audit.action import Action
from registries.domain.access import Access
from registries.domain.registry import Key
from registries.models import (
    Run,
    RunItem,
)
from registries.wiring import services
from tests.gallery.furnishing import (
    LONG_NAME,
    LONG_VALUES,
    LONGEST,
    MANY,
    ONE,
)


def fill_run(kind: str, state: str, done: int, run_id: UUID) -> None:
    """A run of 50 registries by nina, of which `done` percent have ended, a few of them badly or skipped. Its notice
    stays for the hours that all looks take."""
    now = datetime.now(UTC)
    later = now + timedelta(days=1)
    lost, over = state == "interrupted", state in ("cancelled", "done")
    owner = Access.from_grants("nina", [], account=User.objects.get(username="nina").pk).owner
    run = Run.objects.create(
        id=run_id,
        kind=kind,
        person="nina",
        owner=owner,
        state="running" if lost else state,
        beat_at=now - timedelta(hours=1) if lost else later,
        started_at=now - timedelta(minutes=3),
        finished_at=later if over else None,
        robots=["robot$team-a+deploy-20261129", "robot$team-a+deploy"] if kind == "rotate" else [],
    )
    first = "harbor-team-a" if kind in ("rotate", "undo") else "registry-00"
    good = "ok" if kind in ("verify", "rotate") else ""
    problem = "undo_taken" if kind == "undo" else "gone"
    problem = "cluster_refused" if kind == "rotate" else problem
    bad = ("done", "bad_credentials", "") if kind == "verify" else ("failed", "", problem)
    skipped = [("left_alone", why, "left_alone") for why in ("rate_limited", "bad_credentials")]
    outcomes = [bad, *(skipped if kind == "verify" else [bad, bad]), *[("done", good, "")] * 7]
    for number in range(50):
        ended = number < done // 2
        first_is_good = kind == "rotate" and not number  # no other one begins before
        outcome = ("done", "ok", "") if first_is_good else outcomes[number % 10]
        item_state, reason, problem = outcome if ended else ("waiting", "", "")
        RunItem.objects.create(
            run=run,
            namespace="team-a",
            name=f"registry-{number:02}" + ("-" + "x" * 200 if number == 1 else "") if number else first,
            uid=str(number),
            state=item_state,
            reason=reason,
            problem=problem,
            duration_ms=120 if reason == "ok" else None,
            ended_at=now if ended else None,
        )


def fill_journal() -> None:
    """An entry of each kind, and two runs: one of 1,200 deletions, one of tests of which some failed."""
    person = Access("w" * 60, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")
    record, omar = services().audit.record, Access("omar", "192.0.2.17", owner="name:omar")
    deleted = [(Key(MANY, f"old-{number:04}"), "") for number in range(1200)]
    services().audit.record_all(omar.in_run(uuid4()), Action.DELETE, deleted)
    longest = Key(LONGEST, LONG_NAME)
    record(person, Action.CREATE, key=longest, note=LONG_VALUES["domain"])
    renamed = {"display_name": ("Harbor", "A 组 Harbor"), "description": None}
    record(omar, Action.EDIT, key=Key("team-a", "harbor-team-a"), note=changes.write_changes(renamed))
    record(
        person, Action.EDIT, key=longest, note=changes.write_changes({"display_name": ("长" * 90, "w" * 90)})
    )
    record(omar, Action.COPY, key=Key("team-a", "harbor-prod"), note="default/harbor-prod")
    record(omar, Action.DELETE, key=Key("team-a", "harbor-team-a"), outcome="Forbidden")
    record(omar, Action.DELETE, key=Key("team-a", "harbor-team-a"), outcome="Forbidden")
    record(omar, Action.DELETE, key=Key(ONE, "harbor-gone"), outcome="uncertain")
    record(omar, Action.TEST, key=Key("team-a", "harbor-prod"), note="timeout")
    record(omar, Action.TRY, namespace="team-a", note="ok")
    for name in ("create ada", "deactivate ada"):
        record(person, Action.ACCOUNT, note=name)
    tested = [
        (place, reason) for reason in ("timeout", *["ok"] * 6, "bad_credentials") for place in ("team-a", ONE)
    ]
    run = Access("omar", "192.0.2.17", owner="name:omar").in_run(uuid4())
    for number, (place, reason) in enumerate(tested):
        record(run, Action.TEST, key=Key(place, f"registry-{number}"), note=reason)
