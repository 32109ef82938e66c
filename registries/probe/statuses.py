"""The meaning of a registry's status codes (connection-test.md, "Ping" and "Proof")."""

import re

from .answer import REDIRECTS, Answer
from .credentials import Credentials
from .fault import Fault
from .reason import Reason
from .refusal_words import stated_cause

_MEANINGS = {
    200: Reason.NOT_A_REGISTRY,  # only if it is not registry-like
    403: Reason.ACCESS_DENIED,
    404: Reason.NOT_A_REGISTRY,
    405: Reason.NOT_A_REGISTRY,
    407: Reason.PROXY_ERROR,
    410: Reason.NOT_A_REGISTRY,
    426: Reason.HTTPS_REQUIRED,
    511: Reason.NOT_A_REGISTRY,  # a captive portal, RFC 6585
}
# Go: "Client sent an HTTP request to an HTTPS server."; nginx: "The plain HTTP request was sent to HTTPS
# port"; Apache: "You're speaking plain HTTP to an SSL-enabled server port."; Tomcat: "This combination of host and port
# requires TLS."
_WANTS_TLS = re.compile(
    r"http request (was sent )?to (an )?https|plain http to an ssl|host and port requires tls", re.IGNORECASE
)
# nginx: "No required SSL certificate was sent", "The SSL certificate error".
_WANTS_CERTIFICATE = re.compile(
    r"no required ssl certificate was sent|the ssl certificate error", re.IGNORECASE
)
_REGISTRY_PATH = re.compile(r".*/v2/?")


def status_fault(answer: Answer) -> Fault:
    """The Fault for every response except a registry-like 200 and a 401 with challenges."""
    status = answer.status
    if status == 429:
        return rate_limited(answer)
    if status in REDIRECTS and answer.header("location") is not None:
        return Fault(_redirect_reason(answer), answer)
    if status == 400 and answer.at.scheme == "http" and _WANTS_TLS.search(answer.text):
        return Fault(Reason.HTTPS_REQUIRED, answer)
    if status == 400 and answer.at.scheme == "https" and _WANTS_CERTIFICATE.search(answer.text):
        return Fault(Reason.TLS_HANDSHAKE_FAILED, answer)  # its hint names the certificate of the client
    reason = _MEANINGS.get(status)
    if reason is None:
        reason = Reason.SERVER_ERROR if 500 <= status < 600 else Reason.UNEXPECTED_RESPONSE
    return Fault(reason, answer)


def rate_limited(answer: Answer) -> Fault:
    """The Fault for a 429, with the seconds to wait."""
    seconds = answer.retry_after
    return Fault(Reason.RATE_LIMITED, answer, params={"n": seconds}, retry_after=seconds)


def refusal(answer: Answer, credentials: Credentials) -> Fault:
    """The Fault for a 401 or 403 in response to these credentials. The body may state the cause."""
    usual = Reason.ACCESS_DENIED if answer.status == 403 else Reason.BAD_CREDENTIALS
    return Fault(stated_cause(answer, credentials.username) or usual, answer)


def is_registry_path(path: str) -> bool:
    """Whether a path ends in /v2 or /v2/."""
    return _REGISTRY_PATH.fullmatch(path) is not None


def _redirect_reason(answer: Answer) -> Reason:
    try:
        target = answer.at.resolve(answer.header("location") or "")
    except ValueError:
        return Reason.REDIRECT_BLOCKED
    return Reason.REDIRECT_BLOCKED if is_registry_path(target.path) else Reason.NOT_A_REGISTRY
