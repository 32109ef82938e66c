"""The table of the demo's registries: where each is, who logs in, what a connection test must say."""

from dataclasses import dataclass, field
from typing import Literal

# 5500 and up: below the ephemeral ports of every system, away from the ports that browsers block.
BASE_PORT = 5500


@dataclass(frozen=True)
class Temper:
    """One registry as an operator would add it. Several may share a host, with other accounts or schemes.

    `scheme` is what the operator types: "http" means an address that starts with http://.
    `expect` is the reason code of a test with these credentials.
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
    """A host that no operator adds: a token service on a port, hence an origin, of its own."""

    host: str
    port_offset: int


TEMPERS: tuple[Temper, ...] = (
    Temper("harbor", "harbor.localhost", 0, "https", "admin", "Harbor12345", "ok"),
    Temper("dockerhub", "dockerhub.localhost", 1, "https", "moby", "whale-4242", "ok"),
    Temper("aliyun", "aliyun.localhost", 3, "https", "edge@1234567890", "guding-mima-8", "ok"),
    # A colon, a blank and two Chinese characters: what a client must not cut, trim or send as Latin-1.
    Temper("basic", "basic.localhost", 5, "http", "pusher", "basic: 密码-42", "ok"),
    Temper("slow", "slow.localhost", 9, "https", "snail", "no-hurry-3", "ok"),
    Temper("open", "open.localhost", 14, "http", "anyone", "anything", "ok_unverified"),
    # A robot account of the harbor above whose secret was renewed, and this one forgotten.
    Temper(
        "wrong-password",
        "harbor.localhost",
        0,
        "https",
        "robot$team-a+deploy",
        "last-year",
        "bad_credentials",
    ),
    Temper("two-factor", "dockerhub.localhost", 1, "https", "whaler", "harpoon-77", "pat_required"),
    Temper(
        "expired-credentials",
        "ecr.localhost",
        15,
        "https",
        "AWS",
        "token-of-yesterday",
        "credentials_expired",
    ),
    Temper("access-denied", "denied.localhost", 16, "https", "visitor", "knock-knock", "access_denied"),
    Temper("rate-limited", "busy.localhost", 12, "https", "eager", "again-again", "rate_limited"),
    Temper("server-error", "broken.localhost", 17, "https", "patient", "later-maybe", "server_error"),
    Temper("self-signed", "self-signed.localhost", 6, "https", "admin", "Harbor12345", "tls_untrusted"),
    Temper("expired-certificate", "expired.localhost", 7, "https", "admin", "Harbor12345", "tls_expired"),
    Temper("wrong-name", "renamed.localhost", 8, "https", "admin", "Harbor12345", "tls_hostname_mismatch"),
    Temper(
        "client-certificate", "mutual.localhost", 30, "https", "admin", "in-a-cert", "tls_handshake_failed"
    ),
    Temper("plain-http", "plain.localhost", 22, "https", "pusher", "no-s-in-http", "plain_http_server"),
    Temper("https-only", "harbor.localhost", 0, "http", "admin", "Harbor12345", "https_required"),
    Temper("hanging", "hanging.localhost", 10, "https", "godot", "waiting-for", "timeout"),
    Temper("down", "down.localhost", 11, "https", "nobody", "not-at-home", "connection_refused"),
    Temper("resetting", "resetting.localhost", 29, "https", "moody", "slam-the-door", "connection_reset"),
    Temper("login-page", "portal.localhost", 13, "https", "guest", "please-sign-in", "not_a_registry"),
    Temper("redirecting", "moved.localhost", 26, "https", "nomad", "over-there", "redirect_blocked"),
    Temper("bad-challenge", "mute.localhost", 27, "https", "guesser", "who-are-you", "bad_challenge"),
    Temper("negotiate", "kerberos.localhost", 28, "https", "cerberus", "three-heads", "unsupported_auth"),
    Temper("insecure-realm", "insecure.localhost", 18, "https", "admin", "careless-1", "realm_insecure"),
    Temper(
        "token-service-down",
        "headless.localhost",
        20,
        "https",
        "admin",
        "no-tokens",
        "token_service_unreachable",
    ),
    Temper(
        "token-service-error", "stumbling.localhost", 23, "https", "admin", "try-again", "token_service_error"
    ),
    Temper(
        "token-service-page", "gateway.localhost", 24, "https", "admin", "more-html", "token_invalid_response"
    ),
    Temper("token-rejected", "drifting.localhost", 25, "https", "admin", "mind-the-clock", "token_rejected"),
)

COMPANIONS: tuple[Companion, ...] = (
    Companion("auth.dockerhub.localhost", 2),
    Companion("dockerauth.aliyun.localhost", 4),
    Companion("auth.insecure.localhost", 19),
    Companion("auth.headless.localhost", 21),
)

# Host name -> offset from the base port, in the order of the table.
OFFSETS: dict[str, int] = {temper.host: temper.port_offset for temper in TEMPERS} | {
    companion.host: companion.port_offset for companion in COMPANIONS
}
