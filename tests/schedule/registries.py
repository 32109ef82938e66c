"""Registries that count log-ins, and a clock that is moved by hand: a day of the schedule in seconds."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from registries.domain.access import Access
from registries.domain.registry import Key
from registries.models import ScheduledCredential
from registries.runs.threads import Background
from registries.schedule.sweep import Schedule
from registries.schedule.telling import tell_due
from registries.wiring import services
from tests.cast import Cast
from tests.peers.scripted import Reply, Request, ScriptedServer, registry_ok, unauthorized

RIGHT, WRONG = "right-8f2k", "wrong-3k9x"
DOWN = Reply(raw=b"", reset=True)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@dataclass
class LogIn:
    """One request with a password."""

    at: datetime
    host: str
    username: str
    ok: bool


@dataclass
class Clock:
    now: datetime


@dataclass
class Registry:
    """A registry with Basic authentication. `broken` replaces every answer."""

    clock: Clock
    right: str = RIGHT
    broken: Reply | None = None
    log_ins: list[LogIn] = field(default_factory=list)
    asked: int = 0
    server: ScriptedServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = ScriptedServer(self._answer)

    def _answer(self, request: Request) -> Reply:
        self.asked += 1
        if request.authorization is None:
            return self.broken or unauthorized('Basic realm="test"')
        username, _, password = base64.b64decode(request.authorization[6:]).decode().partition(":")
        ok = password == self.right
        self.log_ins.append(LogIn(self.clock.now, self.server.netloc, username, ok))
        return self.broken or (registry_ok() if ok else unauthorized('Basic realm="test"'))


@dataclass
class World:
    """The schedule of one process, without threads, on a clock that stands still between two calls."""

    cast: Cast
    clock: Clock
    stack: ExitStack
    registries: list[Registry] = field(default_factory=list)
    schedule: Schedule = field(init=False)

    def __post_init__(self) -> None:
        self.schedule = self.process()

    def process(self, interval: timedelta | None = timedelta(hours=6)) -> Schedule:
        """The schedule of another process on the same database."""
        parts = services()
        return Schedule(
            parts.index,
            parts.store,
            parts.tests,
            parts.pauses,
            interval,
            "secret",
            parts.prober.patience,
            Background(0, "check"),
        )

    def registry(self) -> Registry:
        registry = Registry(self.clock)
        self.stack.callback(registry.server.stop)
        self.registries.append(registry)
        return registry

    def add(self, name: str, registry: Registry, namespace: str = "team-a", **values: str) -> str:
        """Stores a registry; returns its uid."""
        values = {"username": "robot", "password": RIGHT, **values}
        return self.cast.add(name, namespace, domain=registry.server.address, **values).uid

    def test(self, access: Access, name: str) -> None:
        """A person tests one registry, and waits for the verdict."""
        check, _ = services().tests.begin_test(access=access, key=Key("team-a", name))
        services().tests.finish_test(access=access, check=check)

    def delete(self, name: str) -> None:
        access, found = self.cast.access("olive"), self.cast.find(name)
        services().registries.delete(access=access, key=found.key, uid=found.uid)

    def row(self, uid: str) -> ScheduledCredential:
        return ScheduledCredential.objects.get(registries__uid=uid)

    def due(self, uid: str) -> datetime:
        due_at = self.row(uid).due_at
        assert due_at
        return due_at

    def run(self, hours: float) -> None:
        """Lets time pass, and works on all that is due at its moment."""
        end = self.clock.now + timedelta(hours=hours)
        self.turn()
        while (moment := self.next_moment()) is not None and moment <= end:
            self.clock.now = max(moment, self.clock.now + timedelta(seconds=2))
            self.turn()
        self.clock.now = end

    @staticmethod
    def next_moment() -> datetime | None:
        """When the next credential is due, claimed or not; None if none is."""
        scheduled = ScheduledCredential.objects.filter(due_at__isnull=False)
        return scheduled.order_by("due_at").values_list("due_at", flat=True).first()

    def turn(self) -> None:
        """What the threads of a process do now."""
        self.schedule.sweep.turn()
        tell_due(self.clock.now)

    @property
    def log_ins(self) -> list[LogIn]:
        return sorted((it for one in self.registries for it in one.log_ins), key=lambda it: it.at)


@contextmanager
def moved_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock(timezone.now())
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    monkeypatch.setattr("registries.service.tests.datetime", SimpleNamespace(now=lambda zone: clock.now))
    yield clock


def verdict(world: World, name: str) -> str:
    return world.cast.find(name).verification.reason


def fill(world: World, hosts: int) -> list[Registry]:
    registries = [world.registry() for _ in range(hosts)]
    for number, registry in enumerate(registries):
        world.add(f"r-{number}", registry)
    world.run(6.1)
    return registries
