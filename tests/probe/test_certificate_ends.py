"""The end of the certificates that a test saw: of the registry and its token service, trusted or not. And that of a
password that is a token."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from registries.probe import Policy, Reason, probe
from registries.probe.certificate import ends_at
from registries.probe.credentials import Credentials
from tests.peers.basic_registry import PASSWORD, USER, registry, run_probe
from tests.peers.certificates import Authority, Pair
from tests.peers.scripted import HERE, scripted
from tests.peers.token_registry import PASSWORD as SECRET
from tests.peers.token_registry import USER as ROBOT
from tests.peers.token_registry import TokenRegistry

pytest_plugins = ("tests.peers.authorities",)

Make = Callable[[Authority], Pair]
NOW = datetime.now(UTC).replace(microsecond=0)
FAR = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda it: it.issue("localhost"), Reason.OK),
        (lambda it: it.issue("localhost", not_after=NOW + timedelta(hours=1)), Reason.OK),
        (lambda it: it.issue("localhost", not_after=FAR), Reason.OK),
        (lambda it: it.issue("localhost", send_root=True), Reason.OK),
        (lambda it: it.expired("localhost"), Reason.TLS_EXPIRED),
        (lambda it: it.not_yet_valid("localhost"), Reason.TLS_EXPIRED),
        (lambda it: it.issue("other.example"), Reason.TLS_HOSTNAME_MISMATCH),
        (lambda it: it.issue("localhost", self_signed=True), Reason.TLS_UNTRUSTED),
    ],
)
def test_the_end_is_that_of_the_registrys_own_certificate(
    authority: Authority, trusting: Policy, make: Make, reason: Reason
) -> None:
    pair = make(authority)
    result, server = run_probe(authority, pair, trusting)
    assert (result.reason, result.certificate_ends) == (reason, pair.certificate.not_valid_after_utc)
    assert result.to_json()["certificateEnds"] == pair.certificate.not_valid_after_utc.isoformat()
    if reason.ok:
        assert server.connections == 1, "the handshake of the test is enough"


@pytest.mark.parametrize(
    "make",
    [lambda it: it.issue("other.example"), lambda it: it.expired("localhost"), lambda it: it.issue()],
)
def test_it_is_seen_without_verification_too(authority: Authority, make: Make) -> None:
    pair = make(authority)
    result, server = run_probe(authority, pair, replace(HERE, skip_tls_verify=True))
    assert (result.ok, result.certificate_ends) == (True, pair.certificate.not_valid_after_utc)
    assert server.connections == 1


def test_nothing_is_seen_without_tls() -> None:
    with scripted(registry) as server:
        assert probe(server.address, USER, PASSWORD, HERE).certificate_ends is None
    assert probe("localhost:1", USER, PASSWORD, HERE).certificate_ends is None


@pytest.mark.parametrize(("of_registry", "of_service"), [(5, 9), (9, 5), (5, 5), (400, 1)])
def test_of_the_registry_and_its_token_service_the_earlier_counts(
    authority: Authority, trusting: Policy, of_registry: int, of_service: int
) -> None:
    script = TokenRegistry()
    first, second = (
        authority.server_context(authority.issue("localhost", not_after=NOW + timedelta(days=days)))
        for days in (of_registry, of_service)
    )
    with scripted(script, tls=second) as service, scripted(script, tls=first) as server:
        script.realm = f"https://localhost:{service.port}/service/token"
        result = probe(server.address, ROBOT, SECRET, trusting)
    assert result.ok
    assert result.certificate_ends == NOW + timedelta(days=min(of_registry, of_service))


def test_bytes_that_are_no_certificate_have_no_end(authority: Authority) -> None:
    der = authority.root.certificate.public_bytes(Encoding.DER)
    assert ends_at(der) == authority.root.certificate.not_valid_after_utc
    broken = [der[:size] for size in range(0, len(der), 7)]
    broken += [der + b"\0" * 70_000, b"\x30\x82\xff\xff" + der[4:], b"\0" * 100, b"x" * 70_000]
    assert {ends_at(it) for it in broken} == {None}
    for place in range(0, len(der), 3):  # any byte may be another one: no error but a date or None
        changed = ends_at(der[:place] + bytes([der[place] ^ 0x55]) + der[place + 1 :])
        assert changed is None or isinstance(changed, datetime)


def web_token(claims: object) -> str:
    """A JSON Web Token without padding, as RFC 7515 says."""
    payload = urlsafe_b64encode(json.dumps(claims, ensure_ascii=False).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{payload}.c2lnbmF0dXJl"


def of_ecr(claims: object) -> str:
    return b64encode(json.dumps(claims).encode()).decode()


ENDS = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
SECONDS = int(ENDS.timestamp())


@pytest.mark.parametrize(
    ("password", "ends"),
    [
        *((web_token({"sub": "机器人" + "?" * n, "exp": SECONDS}), ENDS) for n in range(4)),
        (web_token({"exp": float(SECONDS)}), ENDS),
        (web_token({"exp": SECONDS}) + "\n", ENDS),
        (of_ecr({"payload": "x" * 900, "version": "2", "type": "DATA_KEY", "expiration": SECONDS}), ENDS),
        *(
            (web_token(it), None)
            for it in (
                {},
                [],
                {"exp": None},
                {"exp": True},
                {"exp": str(SECONDS)},
                {"exp": -1},
                {"exp": 1e300},
                {"exp": float("nan")},
                {"expiration": SECONDS},
            )
        ),
        (of_ecr({"exp": SECONDS}), None),
        (of_ecr("text"), None),
        *((it, None) for it in ("", ".", "..", "a.b.c", "Kennwort.mit.Punkten", "密.码.一", "correct horse")),
        (f"a.{b64encode(b'[' * 100_000).decode()}.c", None),
        (f"a.{b64encode(b'9' * 100_000).decode()}.c", None),
        (f"a.{b64encode(bytes(range(128, 256))).decode()}.c", None),
    ],
)
def test_a_token_says_when_it_ends(password: str, ends: datetime | None) -> None:
    assert Credentials("robot", password).ends == ends


def test_the_end_of_a_token_is_told_whatever_the_registry_says() -> None:
    with scripted(registry) as server:
        result = probe(server.address, USER, web_token({"exp": SECONDS}), HERE)
    assert (result.reason, result.credential_ends) == (Reason.BAD_CREDENTIALS, ENDS)
