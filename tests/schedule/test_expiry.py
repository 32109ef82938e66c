"""Dates that run out are told 30, 7 and 1 days before, each once: typed ones, and those of certificates."""

import json
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.utils import timezone

from registries.domain.query import Criteria, Filter
from registries.domain.registry import Ending
from registries.domain.resource import certificate_annotations, information_annotations
from registries.events.change import Change, ChangeKind
from registries.events.message import message
from registries.events.services.alertmanager import Alertmanager
from registries.models import Channel, DeliveryItem, ExpiryNotice
from registries.schedule import expiry, silences
from registries.schedule.expiry import Expiries
from registries.schedule.silences import Scope, Window
from registries.wiring import services
from tests.peers.certificates import Authority
from tests.peers.scripted import Reply, ScriptedServer
from tests.schedule.registries import Registry, World

DAY = timedelta(days=1)
TYPED, SEEN = Ending.CREDENTIAL, Ending.CERTIFICATE


@pytest.fixture(autouse=True)
def channel(db: None) -> Channel:
    return Channel.objects.create(name="all", service="slack", sealed="")


def told() -> list[Change]:
    return [Change.from_json(it.change) for it in DeliveryItem.objects.order_by("pk")]


def look(days: int = 0, now: datetime | None = None) -> list[str]:
    """Lets days pass, and returns what is told then. Two processes look."""
    before = len(told())
    for _ in range(2):
        Expiries(services().index).tell((now or timezone.now()) + days * DAY)
    return [it.reason for it in told()[before:]]


def write(world: World, name: str, what: Ending, ends: datetime) -> None:
    """Writes the last day as a person does, or the end of a certificate as a test does."""
    found = world.cast.find(name)
    typed = information_annotations({"expires_at": timezone.localdate(ends).isoformat()})
    notes = certificate_annotations(ends) if what is SEEN else typed
    services().store.annotate(found.key, notes, uid=found.uid)


def add(world: World, name: str = "r", **days: int) -> None:
    """A registry whose `credential` and `certificate` expire in so many days."""
    world.cast.add(name)
    for what, left in days.items():
        write(world, name, Ending(f"{what}_expires"), timezone.now() + left * DAY)


@pytest.mark.parametrize("what", list(Ending))
def test_each_threshold_is_told_once(world: World, what: Ending) -> None:
    add(world, **{what.removesuffix("_expires"): 40})
    days = {passed: look(passed) for passed in range(45)}
    heard = {40 - passed: texts for passed, texts in days.items() if texts}
    assert list(heard.values()) == [[what], [what], [what]]
    assert all(abs(at - due) <= 1 for at, due in zip(heard, (30, 7, 1), strict=True)), heard


def test_both_dates_of_a_registry_are_told_for_themselves(world: World) -> None:
    add(world, credential=3, certificate=20)
    add(world, "other", credential=90, certificate=90)
    assert look() == [TYPED, SEEN]
    assert {it.kind for it in told()} == {ChangeKind.EXPIRING}
    assert {it.name for it in told()} == {"r"}


def test_what_another_process_tells_meanwhile_is_not_told_again(world: World) -> None:
    add(world, certificate=5)
    found, now, today = world.cast.find("r"), timezone.now(), timezone.localdate()
    due = [(found, day, what) for day, what in found.endings]
    assert [expiry._tell_some(due, today, now) for _ in range(3)] == [1, 0, 0]


@pytest.mark.parametrize(
    ("what", "later", "again"),
    [(SEEN, 2, False), (SEEN, -2, False), (SEEN, 22, True), (TYPED, 1, True), (TYPED, -1, False)],
)
def test_a_later_end_is_told_anew(world: World, what: Ending, later: int, again: bool) -> None:
    """A typed day is changed by a person. Servers behind one name may show certificates with other ends in turn."""
    now = timezone.now()
    world.cast.add("r")
    for days, expected in ((6, [what]), (6 + later, [what] if again else [])):
        write(world, "r", what, now + days * DAY)
        assert look() == expected


def test_a_silence_keeps_a_message_until_its_end(world: World) -> None:
    now = world.clock.now
    add(world, certificate=5)
    window = Window(now, now + timedelta(hours=5))
    silences.add(access=world.cast.access("nina"), scope=Scope("team-a"), window=window, reason="upgrade")
    assert look() == []
    world.clock.now += timedelta(hours=6)
    assert look() == [SEEN]


def test_the_notices_of_a_registry_that_is_gone_are_deleted(world: World) -> None:
    add(world, certificate=5)
    look()
    world.delete("r")
    look()
    assert ExpiryNotice.objects.count() == 1, "another process may not know the registry yet"
    look(2)
    assert not ExpiryNotice.objects.exists()


def test_the_notices_of_a_namespace_are_deleted_while_another_one_is_overfull(world: World) -> None:
    add(world, certificate=5)
    look()
    world.delete("r")
    # More registries are left out of the index than it remembers.
    services().index.fresh().left_out = {"team-b": None}
    look(2)
    assert services().index.fresh().left_out == {"team-b": None}
    assert not ExpiryNotice.objects.exists()


def test_an_old_notice_gets_the_namespace_that_the_schedule_knows(world: World) -> None:
    add(world, certificate=5)
    look()
    world.schedule.placing.update(world.clock.now)
    ExpiryNotice.objects.update(namespace="")
    ExpiryNotice.objects.create(
        uid="gone", what=SEEN, ends=timezone.localdate(), days=7, told_at=world.clock.now
    )
    import_module("registries.migrations.0025_expiry_notice_namespace").fill(apps, None)
    found = ExpiryNotice.objects.order_by("pk").values_list("namespace", flat=True)
    assert list(found) == ["team-a", ""]


def test_the_end_of_a_certificate_comes_from_the_tests_of_the_schedule(world: World, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    now = world.clock.now.replace(microsecond=0)
    context = authority.server_context(authority.issue("localhost", not_after=now + 6 * DAY))
    registry = Registry(world.clock)
    registry.server.stop()
    registry.server = ScriptedServer(registry._answer, tls=context)
    world.stack.callback(registry.server.stop)
    uid = world.add("r", registry, tls="skip")

    world.run(6)
    assert world.cast.find("r").certificate_ends == now + 6 * DAY
    assert look() == [SEEN]
    renewed = authority.issue("localhost", not_after=now + 90 * DAY)
    context.load_cert_chain(renewed.chain_file, renewed.key_file)
    world.run(8)
    assert world.cast.find("r").certificate_ends == now + 90 * DAY
    registry.server.stop()
    world.run(20)
    assert world.row(uid).settled == "failing"
    assert world.cast.find("r").certificate_ends == now + 90 * DAY, (
        "a test without a handshake says nothing of it"
    )
    assert look() == []


def token(ends: datetime) -> str:
    """A JSON Web Token with this end."""
    claims = json.dumps({"sub": "robot", "exp": int(ends.timestamp())}).encode()
    return f"eyJhbGciOiJub25lIn0.{urlsafe_b64encode(claims).decode().rstrip('=')}.c2lnbmF0dXJl"


def new_password(world: World, registry: Registry, password: str) -> None:
    """A new one at the registry and, by a program, in the store; it is tested at once."""
    found, registry.right = world.cast.find("r"), password
    services().store.set_password(found.key, password, uid=found.uid)
    world.run(0.1)


def test_a_token_says_itself_when_it_ends(world: World) -> None:
    registry, now = world.registry(), world.clock.now.replace(microsecond=0)
    registry.right = token(now + 6 * DAY)
    uid = world.add("r", registry, password=registry.right)
    assert world.cast.find("r").credential_ends is None, "nobody has looked yet"
    world.run(6)

    found = world.cast.find("r")
    assert found.verification.token_ends == now + 6 * DAY
    criteria = Criteria(status=Filter.EXPIRING)
    assert [it.uid for it in services().index.matching(world.cast.access("nina"), criteria)] == [uid]
    assert look() == [TYPED]
    assert told()[-1].since.date() == (now + 6 * DAY).date()

    write(world, "r", TYPED, now + 90 * DAY)
    assert world.cast.find("r").credential_ends == (now + 6 * DAY).date(), "the typed day is too late"
    write(world, "r", TYPED, now + 3 * DAY)
    assert world.cast.find("r").credential_ends == timezone.localdate(now + 3 * DAY)

    new_password(world, registry, "no-token-4v8d")
    assert world.cast.find("r").verification.reason == "ok"
    assert world.cast.find("r").verification.token_ends is None


def test_a_token_that_a_program_replaces_each_day_is_told_once(world: World) -> None:
    """A password of AWS ECR lasts for twelve hours."""
    registry, heard = world.registry(), list[str]()
    registry.right = token(world.clock.now + DAY / 2)
    world.add("r", registry, password=registry.right)
    world.run(6)
    for _ in range(10):
        heard += look(now=world.clock.now)
        world.clock.now += DAY
        new_password(world, registry, token(world.clock.now + DAY / 2))
    assert heard == [TYPED]

    new_password(world, registry, token(world.clock.now + 60 * DAY))
    assert look(now=world.clock.now) == []
    assert look(now=world.clock.now + 31 * DAY) == [TYPED]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("what", list(Ending))
def test_the_message_says_what_expires_and_when(what: Ending, language: str) -> None:
    now = timezone.now()
    ends = now + 6 * DAY
    changes = [
        Change(ChangeKind.EXPIRING, now, ends, "u", "team-a", name, host="h:443", reason=what)
        for name in ("a", "b")
    ]
    one, many = (message(it, language=language, url="https://c") for it in (changes[:1], changes))
    words = {
        "zh": {SEEN: "证书将在", TYPED: "天后到期"},
        "en": {SEEN: "Certificate expires in", TYPED: "Expires in"},
    }
    for it in (one, many):
        assert words[language][what] in it.text(5000)
        assert ends.date().isoformat() in it.text(5000)
        assert "Since" not in it.text(5000)
    assert many.link == "https://c/registries/?namespace=team-a&q=h&status=expiring"


def test_alertmanager_takes_an_alert_whose_end_is_in_the_future() -> None:
    now = timezone.now()
    change = Change(ChangeKind.EXPIRING, now, now + 6 * DAY, "u", "team-a", "a", host="h:443", reason=SEEN)
    told_of = message([change], language="en", url="")
    body = Alertmanager().request(told_of, {"url": "https://a"}, key="1", now=now).body.decode()
    alert = json.loads(body)[0]
    assert alert["startsAt"] < alert["endsAt"]
    assert alert["annotations"]["reason"].startswith("Certificate expires in")


def test_a_dead_registry_is_not_a_date(world: World) -> None:
    registry = world.registry()
    registry.broken = Reply(503)
    world.add("r", registry)
    world.run(12)
    assert look() == []
