"""The table of the demo's registries: where each is, with which credentials, and the expected result of a
connection test."""

from dataclasses import dataclass, field
from typing import Literal

# 5500 and up: below the ephemeral ports of every system, away from the ports that browsers block.
BASE_PORT = 5500


@dataclass(frozen=True)
class Behaviour:
    """One registry as an operator would add it. Several may share a host with other accounts or schemes.

    `scheme` is what the operator types: "http" means an address that starts with http://. `expect` is the reason
    code of a test with these credentials.
    """

    name: str
    host: str
    port_offset: int
    scheme: Literal["http", "https"]
    username: str
    password: str = field(repr=False)
    expect: str


@dataclass(frozen=True)
class Companion:
    """A host that no operator adds: a token service with a port, and so an origin, of its own."""

    host: str
    port_offset: int


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("harbor", "harbor.localhost", 0, "https", "admin", "Harbor12345", "ok"),
    Behaviour("dockerhub", "dockerhub.localhost", 1, "https", "moby", "whale-4242", "ok"),
    Behaviour("aliyun", "aliyun.localhost", 3, "https", "edge@1234567890", "guding-mima-8", "ok"),
    # A colon, a space and two Chinese characters: a client must not cut, trim or send them as Latin-1.
    Behaviour("basic", "basic.localhost", 5, "http", "pusher", "basic: 密码-42", "ok"),
    Behaviour("slow", "slow.localhost", 9, "https", "snail", "no-hurry-3", "ok"),
    Behaviour("open", "open.localhost", 14, "http", "anyone", "anything", "ok_unverified"),
    # A robot account of the same Harbor with an old secret.
    Behaviour(
        "wrong-password",
        "harbor.localhost",
        0,
        "https",
        "robot$team-a+deploy",
        "last-year",
        "bad_credentials",
    ),
    Behaviour("two-factor", "dockerhub.localhost", 1, "https", "whaler", "harpoon-77", "pat_required"),
    Behaviour(
        "expired-credentials",
        "ecr.localhost",
        15,
        "https",
        "AWS",
        "token-of-yesterday",
        "credentials_expired",
    ),
    Behaviour("access-denied", "denied.localhost", 16, "https", "visitor", "knock-knock", "access_denied"),
    Behaviour("rate-limited", "busy.localhost", 12, "https", "eager", "again-again", "rate_limited"),
    Behaviour("server-error", "broken.localhost", 17, "https", "patient", "later-maybe", "server_error"),
    Behaviour("self-signed", "self-signed.localhost", 6, "https", "admin", "Harbor12345", "tls_untrusted"),
    Behaviour("expired-certificate", "expired.localhost", 7, "https", "admin", "Harbor12345", "tls_expired"),
    Behaviour("wrong-name", "renamed.localhost", 8, "https", "admin", "Harbor12345", "tls_hostname_mismatch"),
    Behaviour(
        "client-certificate", "mutual.localhost", 30, "https", "admin", "in-a-cert", "tls_handshake_failed"
    ),
    Behaviour("plain-http", "plain.localhost", 22, "https", "pusher", "no-s-in-http", "plain_http_server"),
    Behaviour("https-only", "harbor.localhost", 0, "http", "admin", "Harbor12345", "https_required"),
    Behaviour("hanging", "hanging.localhost", 10, "https", "godot", "waiting-for", "timeout"),
    Behaviour("down", "down.localhost", 11, "https", "nobody", "not-at-home", "connection_refused"),
    Behaviour("resetting", "resetting.localhost", 29, "https", "moody", "slam-the-door", "connection_reset"),
    Behaviour("login-page", "portal.localhost", 13, "https", "guest", "please-sign-in", "not_a_registry"),
    Behaviour("redirecting", "moved.localhost", 26, "https", "nomad", "over-there", "redirect_blocked"),
    Behaviour("bad-challenge", "mute.localhost", 27, "https", "guesser", "who-are-you", "bad_challenge"),
    Behaviour("negotiate", "kerberos.localhost", 28, "https", "cerberus", "three-heads", "unsupported_auth"),
    Behaviour("insecure-realm", "insecure.localhost", 18, "https", "admin", "careless-1", "realm_insecure"),
    Behaviour(
        "token-service-down",
        "headless.localhost",
        20,
        "https",
        "admin",
        "no-tokens",
        "token_service_unreachable",
    ),
    Behaviour(
        "token-service-error", "stumbling.localhost", 23, "https", "admin", "try-again", "token_service_error"
    ),
    Behaviour(
        "token-service-page", "gateway.localhost", 24, "https", "admin", "more-html", "token_invalid_response"
    ),
    Behaviour(
        "token-rejected", "drifting.localhost", 25, "https", "admin", "mind-the-clock", "token_rejected"
    ),
)

COMPANIONS: tuple[Companion, ...] = (
    Companion("auth.dockerhub.localhost", 2),
    Companion("dockerauth.aliyun.localhost", 4),
    Companion("auth.insecure.localhost", 19),
    Companion("auth.headless.localhost", 21),
)

# Host name -> offset from the base port, in the order of the table.
OFFSETS: dict[str, int] = {behaviour.host: behaviour.port_offset for behaviour in BEHAVIOURS} | {
    companion.host: companion.port_offset for companion in COMPANIONS
}
