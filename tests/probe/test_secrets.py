"""The password, its base64 form and the token stay where they belong, whatever a server does."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from registries.probe import Policy, RealmMemory, Reason, probe
from registries.probe.certificate import Sent, ServerCertificates, describe
from registries.probe.credentials import Credentials
from registries.probe.scrubber import Scrubber
from tests.peers.canary import (  # noqa: F401 - an autouse fixture
    CANARY,
    FORMS,
    TOKEN,
    USER,
    echoing,
    everything_logged,
    leaks,
    run_probe,
    shown,
)
from tests.peers.certificates import Authority
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    basic,
    json_reply,
    registry_ok,
    scripted,
    unauthorized,
)

# A server must not be able to get a secret into a URL.


def test_a_redirect_cannot_carry_the_password_away() -> None:
    def answer(password: str) -> Reply:
        return Reply(307, [("Location", f"/v2/?p={quote(password)}/v2/")])

    with scripted(echoing(answer)) as server:
        run_probe(server)
    assert len(server.requests) == 2


@pytest.mark.parametrize("part", ["http://localhost:{port}/{0}", "http://{0}.localhost:{port}/token"])
@pytest.mark.parametrize("form", ["plain", "base64", "base64 url", "quoted"])
def test_a_realm_made_of_the_password_is_not_requested(part: str, form: str) -> None:
    """An open registry gets the password before it names its token service."""
    secret = "canarysecretword"

    def script(request: Request) -> Reply:
        if request.authorization is None:
            return registry_ok()
        realm = part.format(FORMS[form](secret), port=server.port)
        return unauthorized(f'Bearer realm="{realm}"')

    with scripted(script) as server:
        result = run_probe(server, secret)
    assert result.reason is Reason.BAD_CHALLENGE
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "part", ["/{0}", "{0}", "http://{0}:port/", "http://{0}@h.example/", "http://h%/{0}"]
)
@pytest.mark.parametrize("form", FORMS)
def test_an_unusable_realm_made_of_the_password_is_not_shown(part: str, form: str) -> None:
    """An open registry gets the password before it names its token service."""

    def script(request: Request) -> Reply:
        if request.authorization is None:
            return registry_ok()
        return unauthorized(f"Bearer realm={json.dumps(part.format(FORMS[form](CANARY)))}")

    with scripted(script) as server:
        assert run_probe(server).reason is Reason.BAD_CHALLENGE


@pytest.mark.parametrize("form", ["plain", "upper case", "base64", "base64 url", "quoted"])
def test_a_registry_that_remembers_the_password_cannot_show_it_in_a_realm(form: str) -> None:
    secret = "canarysecretword"
    with scripted(lambda request: unauthorized(f'Bearer realm="/{FORMS[form](secret)}"')) as server:
        assert "***" in run_probe(server, secret).detail


def test_a_service_made_of_the_password_is_not_named() -> None:
    def script(request: Request) -> Reply:
        if request.authorization is None:
            return registry_ok()
        return unauthorized(
            f'Bearer realm="http://localhost:{server.port}/t",service="{basic(USER, CANARY)}"'
        )

    with scripted(script) as server:
        assert run_probe(server).reason is Reason.BAD_CHALLENGE


def test_a_weak_password_may_stand_in_a_realm_by_chance() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return (
                json_reply({"token": TOKEN}) if request.authorization == basic(USER, "token") else Reply(401)
            )
        if request.authorization == f"Bearer {TOKEN}":
            return registry_ok()
        realm = f"http://localhost:{server.port}/token"
        return unauthorized(f'Bearer realm="{realm}"') if request.authorization else registry_ok()

    with scripted(script) as server:
        assert probe(server.address, USER, "token", HERE).reason is Reason.OK


@pytest.mark.parametrize("echo", [TOKEN, base64.b64encode(TOKEN.encode()).decode(), quote(CANARY), CANARY])
def test_a_scope_made_of_a_secret_is_not_asked_for(echo: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": TOKEN})
        if request.authorization is None:
            return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')
        quoted = echo.replace("\\", "\\\\").replace('"', '\\"')
        scope = quoted.encode().decode("latin-1")
        return unauthorized(f'Bearer realm="x",error="insufficient_scope",scope="repository:{scope}:pull"')

    with scripted(script) as server:
        assert run_probe(server).reason is Reason.ACCESS_DENIED
    assert len(server.requests) == 3


@pytest.mark.parametrize("username", ["same-secret", "robot$same-secret+ci", "SAME-SECRET"])
def test_a_user_name_that_holds_the_password_stays_out_of_the_url(username: str) -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": TOKEN}) if request.authorization else Reply(401)
        if request.authorization is None:
            return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')
        return registry_ok()

    with scripted(script) as server:
        assert probe(server.address, username, "same-secret", HERE).ok
    assert not any("same-secret" in request.target.lower() for request in server.requests)


def test_the_token_goes_to_the_registry_only_and_the_password_to_the_realm_only() -> None:
    def service(request: Request) -> Reply:
        return json_reply({"token": TOKEN}) if request.authorization == basic(USER, CANARY) else Reply(401)

    def registry(request: Request) -> Reply:
        if request.authorization == f"Bearer {TOKEN}":
            return registry_ok()
        return unauthorized(f'Bearer realm="{realm.url("/token")}"', "Basic")

    with scripted(service) as realm, scripted(registry) as server:
        assert run_probe(server).reason is Reason.OK
    assert not any("Basic" in (a or "") for a in server.authorizations())
    assert not any("Bearer" in (a or "") for a in realm.authorizations())


def test_a_password_sent_by_post_is_in_the_body_only() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token" and request.method == "POST":
            return json_reply({"error": "invalid_grant", "error_description": request.body.decode()}, 400)
        if request.path == "/token":
            return Reply(405)
        return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')

    with scripted(script) as server:
        result = run_probe(server)
    assert result.reason is Reason.BAD_CREDENTIALS
    assert "***" in result.detail


def test_a_refresh_token_is_a_secret_like_any_other() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(401, [], request.body)
        return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')

    with scripted(script) as server:
        result = probe(server.address, "<token>", CANARY, HERE)
    assert not leaks(shown(result), CANARY)


def test_nothing_is_sent_over_a_connection_that_is_not_trusted(tmp_path: object) -> None:
    authority = Authority(tmp_path)  # type: ignore[arg-type]
    with scripted(
        lambda request: unauthorized("Basic"), tls=authority.server_context(authority.issue())
    ) as server:
        run_probe(server)
    assert server.requests == []


def offering(name: str, string: _ASN1Type = _ASN1Type.UTF8String) -> ServerCertificates:
    """What a server shows that offers a CA of this name."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name, string)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now).public_key(key.public_key())
    sent = Sent.read(builder.sign(key, SHA256()).public_bytes(Encoding.DER))
    return describe([sent], sent)


@pytest.mark.parametrize(
    "certificates",
    [
        offering(CANARY),
        offering(CANARY, _ASN1Type.BMPString),
        offering(CANARY.encode().hex()),
        offering(json.dumps(CANARY)[1:-1].replace("&", "\\u0026")),
        offering(base64.b64encode(f"x{CANARY}".encode()).decode()),
    ],
    ids=["plain", "UTF-16", "hex", "JSON", "base64 of more"],
)
def test_a_ca_whose_name_is_made_of_the_password_is_not_offered(certificates: ServerCertificates) -> None:
    """Whoever trusts it stores it, and everybody who sees the registry reads its name."""
    offered = certificates.scrubbed(Scrubber(USER, CANARY))

    assert certificates.ca_pem
    assert (offered.ca_pem, offered.ca) == (None, None)
    assert not leaks(json.dumps(offered.to_json()), CANARY)
    assert certificates.scrubbed(Scrubber(USER, "another")).ca_pem


def test_a_defect_of_our_own_is_a_result_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise ZeroDivisionError(f"about {CANARY}")

    result = probe("registry.example", USER, CANARY, replace(HERE, resolver=resolver))
    assert (result.reason, result.cause) == (Reason.UNEXPECTED_RESPONSE, "ZeroDivisionError")
    assert not leaks(shown(result), CANARY)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "connection test failed by ZeroDivisionError, which is a defect"
    ]


def test_no_repr_holds_a_secret() -> None:
    policy = Policy(proxy=f"http://u:{quote(CANARY)}@proxy:3128", memory=RealmMemory())
    things = [
        Credentials(USER, CANARY),
        policy,
        Scrubber(USER, CANARY),
    ]
    for thing in things:
        assert not leaks(repr(thing) + str(thing), CANARY)


def test_a_memory_holds_no_secret() -> None:
    memory = RealmMemory()

    def script(request: Request) -> Reply:
        if request.path == "/token":
            return json_reply({"token": TOKEN}) if request.authorization else Reply(401)
        if request.authorization is None:
            return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')
        return registry_ok()

    with scripted(script) as server:
        run_probe(server, policy=replace(HERE, memory=memory))
    assert len(memory) == 2
    assert not leaks(repr(vars(memory)), CANARY, TOKEN)
