"""Refused log-ins are counted per address and per name, before a password is hashed."""

from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.test import Client

from registries import limits
from registries.log_in.sender import network
from registries.models import ApiBucket, AuditEntry
from registries.wiring import services
from tests.cast import Cast

pytestmark = pytest.mark.usefixtures("no_refill")

PASSWORD = "correct horse 9"
PER_ADDRESS, PER_NAME = 30, 10


@pytest.fixture
def vic(cast: Cast) -> User:
    vic = cast.users["vic"]
    vic.set_password(PASSWORD)
    vic.save()
    return vic


def log_in(source: str, name: str = "vic", password: str = "") -> Any:
    values = {"username": name, "password": password or "wrong"}
    return Client(REMOTE_ADDR=source).post("/login/", values)


def refused(answers: list[Any]) -> int:
    return sum(it.status_code == 429 for it in answers)


@pytest.mark.parametrize(
    "sources",
    [["10.1.1.1"], ["::ffff:10.1.1.1", "10.1.1.1"], ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:1"]],
    ids=["one address", "one address in two forms", "one IPv6 network"],
)
def test_many_names_from_one_address(vic: User, sources: list[str]) -> None:
    answers = [log_in(sources[i % len(sources)], f"name-{i}") for i in range(PER_ADDRESS + 10)]

    assert refused(answers) == 10
    assert {it.status_code for it in answers} == {422, 429}
    assert log_in("10.9.9.9", password=PASSWORD).status_code == 302, "from elsewhere people log in"


def test_one_name_from_many_addresses(vic: User) -> None:
    answers = [log_in(f"10.2.0.{i}") for i in range(PER_NAME + 10)]

    assert refused(answers) >= 9
    wait = int(answers[-1]["Retry-After"])
    assert 1 <= wait <= 6
    assert f"请求过多，{wait} 秒后再试" in answers[-1].content.decode()
    assert log_in("10.2.9.9", "nina").status_code == 422, "other names are not concerned"


@pytest.mark.parametrize("spelled", ["{}vic", "vic{}", "\u3000{}ｖｉｃ", "𝓿𝓲𝓬{}"])
def test_all_spellings_of_a_name_have_one_limit(vic: User, spelled: str) -> None:
    names = [spelled.format(" " * i) for i in range(PER_NAME + 10)]
    answers = [log_in(f"10.2.0.{i}", name) for i, name in enumerate(names)]

    assert refused(answers) >= 9
    assert log_in("10.2.1.1", "vic").status_code == 429
    assert log_in("10.2.1.1", "nina").status_code == 422


def test_an_owner_is_known_by_every_spelling(vic: User) -> None:
    assert log_in("10.3.0.1", password=PASSWORD).status_code == 302
    for i in range(PER_NAME + 10):
        log_in(f"10.3.1.{i}")

    assert log_in("10.3.0.1", " ｖic", PASSWORD).status_code == 302


def test_nobody_keeps_an_owner_out_of_an_own_address(vic: User) -> None:
    assert log_in("10.3.0.1", password=PASSWORD).status_code == 302
    for i in range(PER_NAME + 10):
        log_in(f"10.3.1.{i}")

    assert log_in("10.3.0.2", password=PASSWORD).status_code == 429, "an address of nobody waits"
    assert log_in("10.3.0.1", password="mistyped").status_code == 422
    assert log_in("10.3.0.1", password=PASSWORD).status_code == 302


def test_a_later_account_inherits_no_address(vic: User) -> None:
    log_in("10.3.0.1", password=PASSWORD)
    vic.delete()
    User.objects.create_user("vic", password=PASSWORD)
    for i in range(PER_NAME + 2):
        log_in(f"10.3.1.{i}")

    assert log_in("10.3.0.1", password=PASSWORD).status_code == 429


def test_right_passwords_do_not_count(vic: User) -> None:
    answers = [log_in("10.4.0.1", password=PASSWORD).status_code for _ in range(PER_ADDRESS + 10)]

    assert set(answers) == {302}


class Counted(PBKDF2PasswordHasher):
    """Counts the hashes. One of them costs no time here."""

    algorithm = "counted"
    iterations = 1
    hashes = 0

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        Counted.hashes += 1
        return super().encode(password, salt, iterations)


def test_above_the_limit_no_password_is_hashed(vic: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.web.test_throttle.Counted"]
    log_in("10.5.0.2")
    assert Counted.hashes, "below the limit"
    for i in range(PER_ADDRESS):
        services().log_ins.addresses.wait("log-in from 10.5.0.1")
        services().log_ins.names.wait(f"log-in of {i}")
    log_in("10.5.0.1")

    before = Counted.hashes
    answers = [log_in("10.5.0.1") for _ in range(5)]

    assert refused(answers) == 5
    assert Counted.hashes == before


def test_what_is_stored_names_nobody(vic: User) -> None:
    answers: list[Any] = []
    while refused(answers) < 2:
        answers.append(log_in("10.7.0.1", f"hunter2-{len(answers)}"))

    stored = str(list(ApiBucket.objects.values())) + str(list(AuditEntry.objects.values()))
    assert "hunter2" not in stored
    [locked] = AuditEntry.objects.filter(outcome="locked")
    assert (locked.person, locked.source, locked.count >= 2) == ("?", "10.7.0.1", True)


def test_the_old_password_is_not_guessed(vic: User) -> None:
    client = Client()
    client.force_login(vic, backend="registries.log_in.backend.AccountBackend")

    def change(old: str) -> Any:
        new = "another 77 horse"
        values = {"old_password": old, "new_password1": new, "new_password2": new}
        return client.post("/password/", values)

    answers = [change(f"guess {i}") for i in range(PER_NAME + 5)]

    assert refused(answers) >= 4
    assert "秒后再试" in answers[-1].content.decode()
    assert change(PASSWORD).status_code == 429


def test_networks() -> None:
    assert network("10.1.2.3") == "10.1.2.3"
    assert network("::ffff:10.1.2.3") == "10.1.2.3"
    assert network("2001:db8::1") == network("2001:db8::2") == "2001:db8::/64"
    assert network("no address") == "no address"
    assert (PER_ADDRESS, PER_NAME) == (5 * limits.ADDRESS_FACTOR, 5 * limits.NAME_FACTOR)
