"""Turns refusals of an API server, and missing answers, into errors.

Only the codes in the body of a refusal are kept: after a refused patch the body contains the request.
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
"""An admission plugin that is not ready yet, but will be in a moment."""
_UNREACHED = (transport.NewConnectionError, transport.ConnectTimeoutError, transport.NameResolutionError)
MAX_WAIT = 60
"""Longest Retry-After in seconds that is respected."""


class Expired(Exception):
    """The resourceVersion of a list or a watch is too old, or unknown to the server: list again."""


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
        # For a missing object the server answers a Status; for a collection that is not served, plain text.
        return NotFound(subject) if answer.get("kind") == "Status" else Unavailable(subject, NO_CRD)
    if status == 409:
        taken = answer.get("reason") == "AlreadyExists"
        return AlreadyExists(subject) if taken else Conflict(subject, Problem.CHANGED)
    if status == 422:
        if any(cause.get("field") == "metadata.uid" for cause in causes):
            return Conflict(subject, Problem.CHANGED)  # the refusal of a patch with another uid
        return _invalid(subject, causes)
    if status == 429:
        return TooManyRequests(subject, retry_after(headers))
    codes = {401: TOKEN, 403: FORBIDDEN}
    failed = status >= 500
    return Unavailable(subject, codes.get(status, FAILED if failed else REFUSED), passing=failed)


def silence(error: Exception, subject: str, *, writing: bool) -> Unavailable:
    """The error for a missing answer. A write without an answer may have happened (`cluster_uncertain`)."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):  # any other TLS error is a broken connection
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
    """The error for a refusal by admission, of any status; None for other refusals.

    Only the beginning of the message tells admission from the authorizer: both have the same reason.
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
