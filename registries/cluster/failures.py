"""Turns refusals of an API server, and missing answers, into errors.

Only the codes in the body of a refusal are kept: after a refused patch the body contains the request.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import urllib3.exceptions as transport

from registries.domain.errors import (
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
        return Conflict(subject, Problem.TERMINATING)
    if status < 500 and status != 429 and (denied := _denied(answer, subject)):
        return denied
    if status == 404:
        # For a missing object the server answers a Status; for a collection that is not served, plain text.
        missing = answer.get("kind") == "Status"
        return NotFound(subject) if missing else Unavailable(subject, Problem.CRD_MISSING)
    if status == 409:
        taken = answer.get("reason") == "AlreadyExists"
        return AlreadyExists(subject) if taken else Conflict(subject, Problem.CHANGED)
    if status == 422:
        if any(cause.get("field") == "metadata.uid" for cause in causes):
            return Conflict(subject, Problem.CHANGED)  # the refusal of a patch with another uid
        return _invalid(subject, causes)
    if status == 429:
        return TooManyRequests(subject, retry_after(headers))
    if status >= 500:
        return Unavailable(subject, Problem.CLUSTER_FAILED, passing=True)
    problems = {401: Problem.CLUSTER_TOKEN, 403: Problem.CLUSTER_FORBIDDEN}
    return Unavailable(subject, problems.get(status, Problem.CLUSTER_REFUSED))


def silence(error: Exception, subject: str, *, writing: bool) -> Unavailable:
    """The error for a missing answer. A write without an answer may have happened (`cluster_uncertain`)."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):  # any other TLS error is a broken connection
        return Unavailable(subject, Problem.CLUSTER_CERTIFICATE)
    if isinstance(error, (*_UNREACHED, transport.SSLError)):
        return Unavailable(subject, Problem.CLUSTER_AWAY, passing=True)
    if writing:
        return Unavailable(subject, Problem.CLUSTER_UNCERTAIN, passing=True)
    late = isinstance(error, transport.ReadTimeoutError)
    return Unavailable(subject, Problem.CLUSTER_TIMEOUT if late else Problem.CLUSTER_AWAY, passing=True)


def retry_after(headers: Mapping[str, str]) -> int:
    """Seconds, at least one."""
    text = headers.get("Retry-After") or "1"
    return min(max(int(text), 1), MAX_WAIT) if text.isdigit() else 1


def _invalid(subject: str, causes: list[dict[str, Any]]) -> ConsoleError:
    if any(cause.get("field") == "spec" for cause in causes):
        return Refused(subject, Problem.PASSWORD_FIXED)  # the definition of an earlier version of the console
    fields = [_FIELDS.get(str(cause.get("field"))) for cause in causes]
    found = tuple(Cause(field, Problem.CLUSTER_REFUSED) for field in fields if field)
    return Invalid(subject, found) if found else Refused(subject, Problem.CLUSTER_REFUSED)


def _denied(answer: Mapping[str, Any], subject: str) -> ConsoleError | None:
    """The error for a refusal by admission, of any status; None for other refusals.

    Only the beginning of the message tells admission from the authorizer: both have the same reason.
    """
    message = str(answer.get("message", ""))
    _, forbidden, words = message.partition("forbidden: ")
    if message.startswith(_WEBHOOK):
        return Refused(subject, Problem.CLUSTER_REFUSED)
    if not forbidden or words.startswith(_AUTHORIZER):
        return None
    if _UNSETTLED.match(words):
        return Unavailable(subject, Problem.CLUSTER_FAILED, passing=True)
    return Refused(subject, Problem.QUOTA_EXCEEDED if _QUOTA.match(words) else Problem.CLUSTER_REFUSED)


def _status_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
