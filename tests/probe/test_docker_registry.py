"""Against the real docker-registry: the verdict equals that of `skopeo login`, except where skopeo is known to be
wrong."""

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from registries.probe import Reason, probe
from tests.peers.certificates import Authority
from tests.peers.docker_registry import docker_registry, signing_pair, token_service
from tests.peers.parts import require_part
from tests.peers.scripted import HERE, ScriptedServer, scripted
from tests.peers.skopeo import skopeo_login

pytest_plugins = ("tests.peers.authorities",)


USERS = {"admin": "correct horse", "robot$team+ci": "pässwörd €"}


@pytest.fixture(scope="module")
def basic_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with docker_registry(tmp_path_factory.mktemp("basic"), users=USERS) as registry:
        yield registry


@pytest.fixture(scope="module")
def basic_tls(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("basic-tls")
    with docker_registry(folder, users=USERS, tls=authority.issue("localhost")) as registry:
        yield registry


@dataclass
class TokenRegistry:
    registry: str
    service: ScriptedServer
    restart: dict[str, object]


@pytest.fixture(scope="module")
def bearer(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[TokenRegistry]:
    require_part("docker-registry")
    signer = signing_pair(authority)
    with (
        scripted(token_service(USERS, signer)) as service,
        docker_registry(
            tmp_path_factory.mktemp("bearer"), token_realm=service.url("/token"), signer=signer
        ) as registry,
    ):
        yield TokenRegistry(registry, service, {"signer": signer})


@pytest.fixture(scope="module")
def bearer_tls(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[str]:
    require_part("docker-registry")
    signer, pair = signing_pair(authority), authority.issue("localhost")
    with (
        scripted(token_service(USERS, signer), tls=authority.server_context(pair)) as service,
        docker_registry(
            tmp_path_factory.mktemp("bearer-tls"), token_realm=service.url("/token"), signer=signer, tls=pair
        ) as registry,
    ):
        yield registry


@pytest.fixture
def cert_dir(authority: Authority, tmp_path: Path) -> Path:
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / "ca.crt").write_text(authority.root.pem)
    return folder


CREDENTIALS = [
    ("admin", "correct horse", True),
    ("robot$team+ci", "pässwörd €", True),
    ("admin", "wrong", False),
    ("admin", "correct horse ", False),
    ("nobody", "correct horse", False),
]


@pytest.mark.parametrize(("username", "password", "right"), CREDENTIALS)
@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_http_verdict_is_skopeos(
    kind: str, username: str, password: str, right: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    fixture = request.getfixturevalue("basic_http" if kind == "basic" else "bearer")
    registry = fixture if isinstance(fixture, str) else fixture.registry
    result = probe(f"http://{registry}", username, password, HERE)
    assert result.reason is (Reason.OK if right else Reason.BAD_CREDENTIALS)
    assert result.ok is right is skopeo_login(registry, username, password, tmp_path, tls_verify=False)


@pytest.mark.parametrize(("username", "password", "right"), CREDENTIALS[:1] + CREDENTIALS[2:3])
@pytest.mark.parametrize("kind", ["basic_tls", "bearer_tls"])
def test_tls_verdict_is_skopeos(
    kind: str,
    username: str,
    password: str,
    right: bool,
    authority: Authority,
    cert_dir: Path,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    registry = request.getfixturevalue(kind)
    trusting = replace(HERE, ca_pem=authority.root.pem)
    result = probe(registry, username, password, trusting)
    assert result.reason is (Reason.OK if right else Reason.BAD_CREDENTIALS)
    assert result.ok is skopeo_login(registry, username, password, tmp_path, cert_dir=cert_dir)
    insecure = probe(registry, username, password, replace(HERE, skip_tls_verify=True))
    assert insecure.ok is right is skopeo_login(registry, username, password, tmp_path, tls_verify=False)


@pytest.mark.parametrize("kind", ["basic_tls", "bearer_tls"])
def test_an_untrusted_ca_is_refused_by_both(
    kind: str, other_authority: Authority, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    registry = request.getfixturevalue(kind)
    for policy in (HERE, replace(HERE, ca_pem=other_authority.root.pem)):
        result = probe(registry, "admin", "correct horse", policy)
        assert result.reason is Reason.TLS_UNTRUSTED
        assert result.tls is not None
        assert result.tls.leaf.issuer == "CN=Test CA"
    assert not skopeo_login(registry, "admin", "correct horse", tmp_path)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("expired", Reason.TLS_EXPIRED),
        ("not_yet_valid", Reason.TLS_EXPIRED),
        ("other", Reason.TLS_HOSTNAME_MISMATCH),
    ],
)
def test_a_bad_certificate_is_refused_by_both(
    kind: str, reason: Reason, authority: Authority, cert_dir: Path, tmp_path: Path
) -> None:
    pair = authority.issue("other.example") if kind == "other" else getattr(authority, kind)("localhost")
    with docker_registry(tmp_path / "registry", users=USERS, tls=pair) as registry:
        result = probe(registry, "admin", "correct horse", replace(HERE, ca_pem=authority.root.pem))
        assert result.reason is reason
        assert not skopeo_login(registry, "admin", "correct horse", tmp_path, cert_dir=cert_dir)


def test_a_self_signed_certificate_that_is_configured_is_believed_by_both(
    authority: Authority, tmp_path: Path
) -> None:
    pair = authority.issue("localhost", self_signed=True)
    certificates = tmp_path / "own"
    certificates.mkdir()
    (certificates / "ca.crt").write_text(pair.pem)
    with docker_registry(tmp_path / "registry", users=USERS, tls=pair) as registry:
        result = probe(registry, "admin", "correct horse", replace(HERE, ca_pem=pair.pem))
        assert (
            result.ok
            is skopeo_login(registry, "admin", "correct horse", tmp_path, cert_dir=certificates)
            is True
        )


@pytest.mark.parametrize("chain", ["root sent", "intermediate sent", "self-signed"])
def test_the_ca_that_is_offered_convinces_both(chain: str, authority: Authority, tmp_path: Path) -> None:
    middle = authority.intermediate("Middle CA")
    pair = {
        "root sent": authority.issue("localhost", issuer=middle, send=[middle, authority.root]),
        "intermediate sent": authority.issue("localhost", issuer=middle, send=[middle]),
        "self-signed": authority.issue("localhost", self_signed=True),
    }[chain]
    with docker_registry(tmp_path / "registry", users=USERS, tls=pair) as registry:
        facts = probe(registry, "admin", "correct horse", HERE).tls
        assert facts is not None
        assert facts.ca_pem
        folder = tmp_path / "certs.d" / registry
        folder.mkdir(parents=True)
        (folder / "ca.crt").write_text(facts.ca_pem)
        for policy in (
            replace(HERE, ca_pem=facts.ca_pem),
            replace(HERE, certs_dir=str(tmp_path / "certs.d")),
        ):
            assert probe(registry, "admin", "correct horse", policy).reason is Reason.OK
        assert skopeo_login(registry, "admin", "correct horse", tmp_path, cert_dir=folder)
        assert not skopeo_login(registry, "admin", "wrong", tmp_path, cert_dir=folder)


def test_the_wrong_scheme_is_told(basic_http: str, basic_tls: str) -> None:
    assert probe(basic_http, "admin", "correct horse", HERE).reason is Reason.PLAIN_HTTP_SERVER
    assert probe(f"http://{basic_tls}", "admin", "x", HERE).reason is Reason.HTTPS_REQUIRED


def test_basic_costs_two_requests_and_bearer_three_and_a_proof(
    basic_http: str, bearer: TokenRegistry
) -> None:
    by_basic = probe(f"http://{basic_http}", "admin", "correct horse", HERE)
    by_token = probe(f"http://{bearer.registry}", "admin", "correct horse", HERE)
    assert (by_basic.requests, by_basic.connections) == (2, 1)
    assert (by_token.requests, by_token.connections) == (5, 2)
    assert by_token.token_host == bearer.service.netloc


def test_an_open_registry_is_no_proof_though_skopeo_is_content(tmp_path: Path) -> None:
    with docker_registry(tmp_path / "registry") as registry:
        result = probe(f"http://{registry}", "admin", "whatever", HERE)
        assert (result.reason, result.proven) == (Reason.OK_UNVERIFIED, False)
        assert skopeo_login(registry, "admin", "whatever", tmp_path, tls_verify=False)


def test_a_token_service_that_gives_tokens_to_nobody_still_proves_a_password(
    bearer: TokenRegistry, tmp_path: Path
) -> None:
    """distribution opens /v2/ to a token without a subject, so the random user decides."""
    signer = bearer.restart["signer"]
    script = bearer.service.script
    bearer.service.script = token_service(USERS, signer, anonymous=True)  # type: ignore[arg-type]
    try:
        result = probe(f"http://{bearer.registry}", "admin", "correct horse", HERE)
        wrong = probe(f"http://{bearer.registry}", "admin", "wrong", HERE)
    finally:
        bearer.service.script = script
    assert (result.reason, result.requests) == (Reason.OK, 7)
    assert wrong.reason is Reason.BAD_CREDENTIALS


@pytest.mark.parametrize("fault", ["clock", "key"])
def test_a_wrong_clock_or_key_is_not_called_a_wrong_password(
    fault: str, bearer: TokenRegistry, other_authority: Authority, tmp_path: Path
) -> None:
    """skopeo says "invalid username/password"."""
    signer = signing_pair(other_authority) if fault == "key" else bearer.restart["signer"]
    clock = (lambda: time.time() - 3600) if fault == "clock" else time.time
    script = bearer.service.script
    bearer.service.script = token_service(USERS, signer, clock=clock)  # type: ignore[arg-type]
    try:
        result = probe(f"http://{bearer.registry}", "admin", "correct horse", HERE)
        assert result.reason is Reason.TOKEN_REJECTED
        assert not skopeo_login(bearer.registry, "admin", "correct horse", tmp_path, tls_verify=False)
    finally:
        bearer.service.script = script


def test_the_password_does_not_follow_a_plain_realm_though_skopeo_sends_it(
    authority: Authority, cert_dir: Path, tmp_path: Path
) -> None:
    require_part("docker-registry")
    signer = signing_pair(authority)
    with (
        scripted(token_service(USERS, signer)) as service,
        docker_registry(
            tmp_path / "registry",
            token_realm=service.url("/token"),
            signer=signer,
            tls=authority.issue("localhost"),
        ) as registry,
    ):
        policy = replace(HERE, ca_pem=authority.root.pem)
        assert probe(registry, "admin", "correct horse", policy).reason is Reason.REALM_INSECURE
        assert service.requests == []
        skopeo_login(registry, "admin", "correct horse", tmp_path, cert_dir=cert_dir)
        sent = [base64.b64decode((a or "").removeprefix("Basic ")) for a in service.authorizations()]
        assert b"admin:correct horse" in sent
