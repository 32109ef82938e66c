"""What an API server's refusal, or its silence, means to a caller. Imports only the errors, and urllib3's.

A server's body is parsed for its codes and then forgotten: for a refused patch it echoes what was sent.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import urllib3.exceptions as transport

from registries.domain.errors import (
    QUOTA,
    REFUSED,
    UNCERTAIN,
    AlreadyExists,
    Cause,
    Conflict,
    ConsoleError,
    Invalid,
    NotFound,
    Problem,
    Refused,
    TooManyRequests,
    Unavailable,
)

AWAY = Problem.CLUSTER_AWAY
TIMEOUT = Problem.CLUSTER_TIMEOUT
CERTIFICATE = Problem.CLUSTER_CERTIFICATE
TOKEN = Problem.CLUSTER_TOKEN
FORBIDDEN = Problem.CLUSTER_FORBIDDEN
NO_CRD = Problem.CRD_MISSING
FAILED = Problem.CLUSTER_FAILED
TERMINATING = Problem.TERMINATING
NO_NAMESPACE = Problem.NAMESPACE_MISSING

_FIELDS = {
    "metadata.name": "name",
    "metadata.namespace": "namespace",
    "spec.domain": "domain",
    "spec.username": "username",
    "spec.password": "password",
    "spec.provider": "provider",
}
_WEBHOOK = 'admission webhook "'
_AUTHORIZER = 'User "'
_QUOTA = re.compile(r"(exceeded|insufficient|failed) quota")
_UNSETTLED = re.compile(r"status unknown for quota|not yet ready")
"""A plugin of admission that has not looked around yet: it will have in a moment."""
_UNREACHED = (transport.NewConnectionError, transport.ConnectTimeoutError, transport.NameResolutionError)
MAX_WAIT = 60
"""Seconds; a server that asks for more patience than that is not believed."""


class Expired(Exception):
    """The version that a list or a watch began with is forgotten, or of another history: begin anew."""


def refusal(status: int, body: bytes, headers: Mapping[str, str], subject: str) -> ConsoleError | Expired:
    """The error for an answer that is not a success (Kubernetes API conventions, "Response Status Kind")."""
    answer = _status_object(body)
    details = answer.get("details")
    details = details if isinstance(details, dict) else {}
    given = details.get("causes")
    causes = [cause for cause in given if isinstance(cause, dict)] if isinstance(given, list) else []
    reasons = {str(cause.get("reason")) for cause in causes}
    if status == 410 or "ResourceVersionTooLarge" in reasons:
        return Expired()
    if status == 403 and "NamespaceTerminating" in reasons:
        return Conflict(subject, TERMINATING)
    if status < 500 and status != 429 and (denied := _denied(answer, subject)):
        return denied
    if status == 404:
        # A collection that is not served is answered in plain text; an object that is not there as a Status.
        return NotFound(subject) if answer.get("kind") == "Status" else Unavailable(subject, NO_CRD)
    if status == 409:
        taken = answer.get("reason") == "AlreadyExists"
        return AlreadyExists(subject) if taken else Conflict(subject, Problem.CHANGED)
    if status == 422:
        if any(cause.get("field") == "metadata.uid" for cause in causes):
            return Conflict(subject, Problem.CHANGED)  # how a patch with another uid is refused
        return _invalid(subject, causes)
    if status == 429:
        return TooManyRequests(subject, retry_after(headers))
    codes = {401: TOKEN, 403: FORBIDDEN}
    failed = status >= 500
    return Unavailable(subject, codes.get(status, FAILED if failed else REFUSED), passing=failed)


def silence(error: Exception, subject: str, *, writing: bool) -> Unavailable:
    """The error for an answer that did not come; for a write, whether it may have been done."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):  # any other TLS error is a connection that broke
        return Unavailable(subject, CERTIFICATE)
    if isinstance(error, (*_UNREACHED, transport.SSLError)):
        return Unavailable(subject, AWAY, passing=True)
    silent = TIMEOUT if isinstance(error, transport.ReadTimeoutError) else AWAY
    return Unavailable(subject, UNCERTAIN if writing else silent, passing=True)


def retry_after(headers: Mapping[str, str]) -> int:
    """Seconds, at least one."""
    text = headers.get("Retry-After") or "1"
    return min(max(int(text), 1), MAX_WAIT) if text.isdigit() else 1


def _invalid(subject: str, causes: list[dict[str, Any]]) -> ConsoleError:
    fields = [_FIELDS.get(str(cause.get("field"))) for cause in causes]
    found = tuple(Cause(field, REFUSED) for field in fields if field)
    return Invalid(subject, found) if found else Refused(subject, REFUSED)


def _denied(answer: Mapping[str, Any], subject: str) -> ConsoleError | None:
    """What admission says, whose status is whatever a webhook or a policy chose; None when it was not admission.

    Only the beginning of the words tells them from the authorizer's, which has the same reason and no code of its own.
    """
    message = str(answer.get("message", ""))
    _, forbidden, words = message.partition("forbidden: ")
    if message.startswith(_WEBHOOK):
        return Refused(subject, REFUSED)
    if not forbidden or words.startswith(_AUTHORIZER):
        return None
    if _UNSETTLED.match(words):
        return Unavailable(subject, FAILED, passing=True)
    return Refused(subject, QUOTA if _QUOTA.match(words) else REFUSED)


def _status_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
