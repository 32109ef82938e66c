"""The renewal of secrets of robot accounts of Harbor, in processes that are killed:
`python -m tests.processes.renewing ADDRESS USER PASSWORD [AWAY]` begins one for each place of PLACES, kills each
process there with -9, goes on with what is left, and prints what is stored then as JSON. Then it does so with a second
account.

With AWAY, it goes on while there is a file of this name, and prints what is stored and kept meanwhile. Then it deletes
the file, and tries again."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from registries.domain.access import EVERYWHERE, Role  # noqa: E402
from registries.domain.registry import Draft, Key, Provider  # noqa: E402
from registries.models import AuditEntry, Rotation, Run  # noqa: E402
from registries.people import grants  # noqa: E402
from registries.probe.harbor import HarborAccount, HarborRobots  # noqa: E402
from registries.runs.rotation_rows import RotationRows  # noqa: E402
from registries.runs.run import RunState  # noqa: E402
from registries.service.replacement import Replacement  # noqa: E402
from registries.wiring import reset, services  # noqa: E402

NAMESPACE, OLD = "team-a", "Old-Secret-1"
PLACES = ("before-the-request", "before-the-answer", "after-the-answer", "before-the-write")
SECOND = "second-account"
"""The process dies with Harbor's answer about a second account."""
LONG = 120.0


def die(*_: Any, **__: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def kill_at(place: str) -> None:
    """Lets this process die at a place."""
    send = HarborRobots._send

    def killed(self: HarborRobots, method: str, *rest: Any) -> Any:
        if method == "PATCH" and place == "before-the-request":
            die()
        answer = send(self, method, *rest)
        return die() if (method, place) in (("PATCH", "before-the-answer"), ("POST", SECOND)) else answer

    if place == "after-the-answer":
        RotationRows.keep_new = die  # type: ignore[method-assign]
    elif place == "before-the-write":
        Replacement.put = Replacement.change = die  # type: ignore[method-assign]
    else:
        HarborRobots._send = killed  # type: ignore[method-assign]


def begin(place: str, user: User, account: HarborAccount) -> None:
    kill_at(place)
    access = grants.access_of(user)
    registry = services().store.get(Key(NAMESPACE, place))
    services().harbor_secrets.begin(
        access=access,
        registries=[registry],
        generation=registry.generation,
        account=account,
        second=place == SECOND,
    )
    time.sleep(LONG)


def wait_for_runs() -> None:
    until = time.monotonic() + LONG
    while Run.objects.filter(state=RunState.RUNNING).exists() and time.monotonic() < until:
        time.sleep(0.05)


def stored(places: Iterable[str]) -> dict[str, str]:
    """The password of each registry."""
    keys = {place: Key(NAMESPACE, place) for place in places}
    store = services().store
    return {place: store.credential(key, uid=store.get(key).uid).password for place, key in keys.items()}


def runs_of(users: dict[str, User]) -> dict[str, Run]:
    """The runs that still have their values, by place."""
    kept = Run.objects.filter(rotation__isnull=False)
    return {place: run for place, user in users.items() for run in kept.filter(person=user.username)}


def try_again(users: dict[str, User], away: Path) -> dict[str, Any]:
    """What holds while Harbor is away. Afterwards it is back, and each run that waits for it goes on."""
    rotations, runs = services().rotations, runs_of(users)
    meanwhile = {
        "stored": stored(PLACES),
        "kept": sorted(runs),
        "states": {place: run.state for place, run in runs.items()},
        "doubtful": [
            place
            for place, run in runs.items()
            if rotations.is_doubtful(access=grants.access_of(users[place]), run_id=run.pk)
        ],
    }
    away.unlink()
    for place, run in runs.items():
        rotations.retry(access=grants.access_of(users[place]), run_id=run.pk)
    wait_for_runs()
    return meanwhile


def main(address: str, username: str, password: str, *away: str) -> None:
    call_command("migrate", verbosity=0)
    places = (*PLACES, SECOND)
    people = [User.objects.create_user(f"olive-{place}") for place in places]
    for user in people:
        grants.set_grant(user, EVERYWHERE, Role.ADMIN)
    if services().store.manages_namespaces:
        services().registries.create_namespace(access=grants.access_of(people[0]), name=NAMESPACE)
    for place in places:
        key = Key(NAMESPACE, place)
        services().store.create(Draft(key, address, f"robot$team-a+{place}", Provider.HARBOR, OLD))
    ends = []
    for place, user in zip(places, people, strict=True):
        connections.close_all()
        reset()
        if not (child := os.fork()):
            begin(place, user, HarborAccount(username, password))
        ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    lost = sorted(Run.objects.values_list("state", flat=True))
    if away:
        Path(away[0]).touch()
    Run.objects.update(beat_at=timezone.now() - timedelta(hours=1))
    services().rotations.resume_lost(services().people.access_now)
    wait_for_runs()
    meanwhile = try_again(dict(zip(places, people, strict=True)), Path(away[0])) if away else {}
    asked = list(AuditEntry.objects.filter(note__startswith="asked ").values_list("note", flat=True))
    kept = Rotation.objects.count()
    said = {"ends": ends, "lost": lost, "stored": stored(places), "kept": kept, "asked": asked}
    sys.stdout.write(json.dumps(said | {"meanwhile": meanwhile}))


if __name__ == "__main__":
    main(*sys.argv[1:])
