"""Errors as Kubernetes Status objects, and answers as JSON. Imports errors, resource and labels.

The sentence of a Status is Kubernetes' own English; what is said of a field, and about a test, is for people and
comes in the language of Accept-Language (api/endpoint.py).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.utils import translation

from registries.domain.errors import (
    QUOTA,
    REFUSED,
    REGISTRY_BUSY,
    Cause,
    ConsoleError,
    Forbidden,
    Invalid,
    Refused,
    TooManyRequests,
    Unavailable,
)
from registries.domain.metadata import ANNOTATIONS_MAX
from registries.domain.resource import API_GROUP, API_VERSION, KIND, PREFIX
from registries.words import labels

JSON = "application/json"
PLURAL = f"registrysecrets.{API_GROUP}"
PASSING = 5
"""Seconds after which to try again what was away a moment ago."""
NAMESPACES, RUNS = "namespaces", "runs"
"""What else an error may be about."""
TERMINATING = "terminating"
_ABOUT_RUNS = ("run_under_way", "already_running", "not_cancellable")

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
}
"""The reason of every status that has no error of its own."""

_SENTENCES = {
    400: "the request could not be understood",
    401: "Unauthorized",
    403: "the request is forbidden",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    413: "the request is too large",
    415: "the body of the request was in an unknown format",
    500: "an internal error occurred; it was logged under the id in X-Request-ID",
    503: "the server cannot answer at the moment",
}

FIELDS = {
    "name": "metadata.name",
    "namespace": "metadata.namespace",
    "display_name": f"metadata.annotations[{PREFIX}display-name]",
    "description": f"metadata.annotations[{PREFIX}description]",
    "domain": "spec.domain",
    "username": "spec.username",
    "password": "spec.password",
    "provider": "spec.provider",
    "tls": f"metadata.annotations[{PREFIX}skip-tls-verify]",
    "ca_bundle": f"metadata.annotations[{PREFIX}ca-bundle]",
}
"""Our names of what a draft holds, and their places in a resource."""

_CAUSE_REASONS = {
    "required": "FieldValueRequired",
    "unknown": "FieldValueNotSupported",
    "too_long": "FieldValueTooLong",
    "type": "FieldValueTypeInvalid",
    "object": "FieldValueTypeInvalid",
    "boolean": "FieldValueTypeInvalid",
    "immutable": "FieldValueForbidden",
    "holds_password": "FieldValueForbidden",
    "annotations_size": "FieldValueTooLong",
}
_OURS = {"caBundle": "ca_bundle"}
_API_PROBLEMS = {
    "type": "must be a string",
    "object": "must be an object",
    "boolean": "must be true or false",
    "unknown_type": "must be delete or verify",
    "items": "must be a list of 1 to 1000 items",
    "item": "must have a namespace and a name, and may have a uid",
    "twice": "the same item occurs twice",
    "metadata_key": "a key must be at most 63 letters, digits, -, _ and ., and begin and end with a letter or digit, "
    "if need be after a DNS subdomain and a slash",
    "label_value": "must be empty or at most 63 letters, digits, -, _ and ., and begin and end with a letter or digit",
    "annotations_size": f"keys and values must have at most {ANNOTATIONS_MAX} bytes together",
    "holds_password": "must not hold the password: everybody who sees the registry sees this",
    "immutable": "only the annotations display-name and description may change",
    "gone": "there is none, or none that you may see",
    "recreated": "it was deleted and created again: there is another one of this name, with another uid",
}


class ApiError(ConsoleError):
    """An error of the request itself, by its HTTP status."""

    def __init__(self, code: int, problem: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__("", problem)
        self.code = code
        self.headers = dict(headers or {})


class InvalidValues(Invalid):
    """What is wrong with a body that is no resource: its fields stand at the top of it."""


def bad_request(problem: str) -> ApiError:
    return ApiError(400, problem)


def answer(body: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A JSON answer; `body` is ready bytes or plain data."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return HttpResponse(content, status=code, content_type=JSON, headers=headers)


def failure(
    code: int,
    message: str = "",
    *,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """A Status object."""
    body = {
        "kind": "Status",
        "apiVersion": API_VERSION,
        "metadata": {},
        "status": "Failure",
        "message": message or _SENTENCES.get(code, REASONS.get(code, "")),
        "reason": reason or REASONS.get(code, "InternalError"),
        "code": code,
    }
    if details:
        body["details"] = dict(details)
    return answer(body, code, headers)


def of_error(error: ConsoleError, where: Mapping[str, str]) -> HttpResponse:
    """The Status of an error; `where` is what stands in the address."""
    kind, name = _about(error, where)
    if isinstance(error, ApiError):
        details = details_of(*named(where)) if error.code != 401 else {}
        message = error.problem or _SENTENCES[error.code]
        return failure(error.code, message, details=details, headers=headers_of(error))
    details, code, reason = details_of(kind, name), error.status, error.reason
    if isinstance(error, Invalid):
        details = {"name": name, "group": API_GROUP, "kind": kind}
        details["causes"] = [_cause(error, it) for it in error.causes]
    if error.problem == TERMINATING:  # as an API server has it
        code, reason = Forbidden.status, Forbidden.reason
        details["causes"] = [_terminating(labels.problem_text(TERMINATING))]
    if isinstance(error, Refused):
        details["causes"] = [_refusal(error)]
    if isinstance(error, TooManyRequests):
        details["retryAfterSeconds"] = error.retry_after
        if error.problem == REGISTRY_BUSY:
            details["causes"] = [{"reason": "RegistryBusy", "message": labels.error_text(error)}]
    message = _sentence(error, kind, name)
    return failure(code, message, reason=reason, details=details, headers=headers_of(error))


def headers_of(error: ConsoleError) -> dict[str, str]:
    """When to come back, where coming back can help."""
    if isinstance(error, ApiError):
        return error.headers
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": str(PASSING)} if isinstance(error, Unavailable) and error.passing else {}


def _refusal(error: Refused) -> dict[str, str]:
    reason = "QuotaExceeded" if error.problem == QUOTA else "ClusterRefused"
    return {"reason": reason, "message": labels.error_text(error)}


def named(where: Mapping[str, str]) -> tuple[str, str]:
    """Kind and name of the object that an address names; "" when it names none."""
    return (RUNS, where["run"]) if "run" in where else (KIND, where.get("name", ""))


def details_of(kind: str, name: str) -> dict[str, Any]:
    if not name:
        return {}
    return {"name": name, **({} if kind == NAMESPACES else {"group": API_GROUP}), "kind": kind}


def _about(error: ConsoleError, where: Mapping[str, str]) -> tuple[str, str]:
    """The address says it, or else the error itself; a collection is its namespace's."""
    (kind, name), given = named(where), where.get("namespace", "")
    above, slash, last = error.subject.rpartition("/")
    if name or isinstance(error, TooManyRequests):
        return kind, name
    if isinstance(error, InvalidValues):
        return RUNS, ""
    if isinstance(error, Unavailable):  # of which the subject may be anything
        return (KIND, last) if slash and above == given else (NAMESPACES, given)
    if slash or isinstance(error, Invalid):
        return KIND, last
    return (RUNS if error.problem in _ABOUT_RUNS else NAMESPACES), error.subject or given


def _sentence(error: ConsoleError, kind: str, name: str) -> str:
    with translation.override("en"):
        return _in_english(error, kind, name)


def _in_english(error: ConsoleError, kind: str, name: str) -> str:
    subject = " ".join([PLURAL if kind == KIND else kind, *([f'"{name}"'] if name else [])])
    if isinstance(error, Invalid):
        causes = "; ".join(
            f"{it['field']}: {it['message'].rstrip('.')}"
            for it in (_cause(error, one) for one in error.causes)
        )
        return f'{KIND} "{name}" is invalid: {causes}' if kind == KIND else f"{subject} is invalid: {causes}"
    if isinstance(error, Refused):
        return f"{subject} is forbidden: {_REFUSALS[error.problem]}"
    if isinstance(error, Forbidden):
        return f"{subject} is forbidden" + (f": this takes the role {error.role}" if error.role else "")
    if isinstance(error, TooManyRequests):
        if error.problem == REGISTRY_BUSY:
            return f"too many tests of this registry: try again in {error.retry_after} s"
        return f"too many requests: try again in {error.retry_after} s"
    why = _CONFLICTS.get(error.problem) or (labels.problem_text(error.problem) if error.problem else "")
    if error.problem == TERMINATING:
        return f"{subject} is forbidden: {why}"
    sentences = {
        "NotFound": f"{subject} not found",
        "AlreadyExists": f"{subject} already exists",
        "Conflict": f"Operation cannot be fulfilled on {subject}: {why}",
    }
    return sentences.get(error.reason, f"{_SENTENCES[503]}: {why}" if why else _SENTENCES[503])


_REFUSALS = {
    QUOTA: "the quota of its namespace on the cluster is used up; delete what is no longer used, or ask the cluster's "
    "administrator for more",
    REFUSED: "a rule of the cluster (admission) is against it; ask its administrator which rules are in force",
}

_CONFLICTS = {
    "changed": "the object has been modified; please apply your changes to the latest version and try again",
    "recreated": "the object was deleted and created again meanwhile",
    "run_under_way": "this run of yours is under way; wait for it, or cancel it",
    "already_running": "it was begun already",
    "not_cancellable": "a run that deletes cannot be cancelled",
}


def _place(error: Invalid, cause: Cause) -> str:
    """Where in the body a cause is; one that names a path already keeps it."""
    return cause.field if isinstance(error, InvalidValues) else FIELDS.get(cause.field, cause.field)


def _terminating(message: str) -> dict[str, str]:
    return {"reason": "NamespaceTerminating", "message": message, "field": FIELDS["namespace"]}


def _cause(error: Invalid, cause: Cause) -> dict[str, str]:
    return {
        "reason": _CAUSE_REASONS.get(cause.problem, "FieldValueInvalid"),
        "message": _API_PROBLEMS.get(cause.problem)
        or labels.cause_text(replace(cause, field=_OURS.get(cause.field, cause.field))),
        "field": _place(error, cause),
    }
