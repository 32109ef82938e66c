"""Errors as Kubernetes Status objects, and JSON responses.

The message of a Status is English, as in Kubernetes. Causes and verdicts use the language of Accept-Language.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.utils import translation

from registries.domain.errors import (
    Cause,
    ConsoleError,
    Forbidden,
    Invalid,
    Problem,
    Refused,
    TooManyRequests,
    Unavailable,
)
from registries.domain.metadata import ANNOTATIONS_MAX
from registries.domain.resource import API_GROUP, API_VERSION, KIND, PREFIX
from registries.words.causes import cause_text
from registries.words.problems import error_text, problem_text

JSON = "application/json"
PLURAL = f"registrysecrets.{API_GROUP}"
PASSING = 5
"""Retry-After in seconds for a service that was away a moment ago."""
NAMESPACES, RUNS = "namespaces", "runs"
"""Kinds in a Status besides registry secrets."""
_ABOUT_RUNS = (Problem.RUN_UNDER_WAY, Problem.ALREADY_RUNNING, Problem.NOT_CANCELLABLE)

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
"""The reason by HTTP status, for errors without a class."""

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
    "owner": f"metadata.annotations[{PREFIX}owner]",
    "support_contact": f"metadata.annotations[{PREFIX}support-contact]",
    "expires_at": f"metadata.annotations[{PREFIX}expires-at]",
    "probe_image": f"metadata.annotations[{PREFIX}probe-image]",
    "domain": "spec.domain",
    "username": "spec.username",
    "password": "spec.password",
    "provider": "spec.provider",
    "tls": f"metadata.annotations[{PREFIX}skip-tls-verify]",
    "ca_bundle": f"metadata.annotations[{PREFIX}ca-bundle]",
}
"""The path in a resource of each field of a draft."""

_CAUSE_REASONS = {
    Problem.REQUIRED: "FieldValueRequired",
    Problem.UNKNOWN: "FieldValueNotSupported",
    Problem.TOO_LONG: "FieldValueTooLong",
    Problem.WRONG_TYPE: "FieldValueTypeInvalid",
    Problem.OBJECT: "FieldValueTypeInvalid",
    Problem.BOOLEAN: "FieldValueTypeInvalid",
    Problem.IMMUTABLE: "FieldValueForbidden",
    Problem.HOLDS_PASSWORD: "FieldValueForbidden",
    Problem.ANNOTATIONS_SIZE: "FieldValueTooLong",
}
_OURS = {"caBundle": "ca_bundle"}
_LABEL = "at most 63 letters, digits, -, _ and ., and begin and end with a letter or digit"
API_TEXTS = {
    Problem.WRONG_TYPE: "must be a string",
    Problem.OBJECT: "must be an object",
    Problem.BOOLEAN: "must be true or false",
    Problem.UNKNOWN_TYPE: "must be delete, undo or verify",
    Problem.ITEMS: "must be a list of 1 to 1000 items",
    Problem.ITEM: "must have a namespace and a name, and may have a uid",
    Problem.TWICE: "the same item occurs twice",
    Problem.NO_COPY: "it has another domain or username than the registry secret of the path",
    Problem.METADATA_KEY: f"a key must be {_LABEL}, if need be after a DNS subdomain and a slash",
    Problem.LABEL_VALUE: f"must be empty or {_LABEL}",
    Problem.ANNOTATIONS_SIZE: f"keys and values must have at most {ANNOTATIONS_MAX} bytes together",
    Problem.HOLDS_PASSWORD: "must not hold the password: everybody who sees the registry sees this",
    Problem.IMMUTABLE: "only display-name, description, owner, support-contact, expires-at and probe-image may change",
    Problem.GONE: "not found, or not visible to you",
    Problem.RECREATED: "it was deleted and created again: there is another one of this name, with another uid",
}


class ApiError(ConsoleError):
    """An error of the request itself. `message` is a sentence for the client."""

    def __init__(self, http_status: int, message: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail=message)
        self.http_status = http_status
        self.message = message
        self.headers = dict(headers or {})


class InvalidValues(Invalid):
    """Invalid fields of a body that is no resource: the paths are top-level names."""


def bad_request(message: str) -> ApiError:
    return ApiError(400, message)


def answer(body: Any, code: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A JSON response. `body` is encoded bytes or plain data."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return HttpResponse(content, status=code, content_type=JSON, headers=headers)


def listing(kind: str, items: Sequence[Any], **more: Any) -> HttpResponse:
    """A list of one kind, without pages."""
    return answer({"apiVersion": API_VERSION, "kind": kind, "items": items, "totalItems": len(items), **more})


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
    """The Status of an error. `where` has the values in the URL."""
    kind, name = _about(error, where)
    if isinstance(error, ApiError):
        details = details_of(*named(where)) if error.http_status != 401 else {}
        message = error.message or _SENTENCES[error.http_status]
        return failure(error.http_status, message, details=details, headers=headers_of(error))
    details, code, reason = details_of(kind, name), error.status, error.reason
    if isinstance(error, Invalid):
        details = {"name": name, "group": API_GROUP, "kind": kind}
        details["causes"] = [_cause(error, it) for it in error.causes]
    if error.problem == Problem.TERMINATING:  # as in an API server
        code, reason = Forbidden.status, Forbidden.reason
        details["causes"] = [_terminating(problem_text(Problem.TERMINATING))]
    if isinstance(error, Refused):
        details["causes"] = [_refusal(error)]
    if isinstance(error, TooManyRequests):
        details["retryAfterSeconds"] = error.retry_after
        if error.problem == Problem.REGISTRY_BUSY:
            details["causes"] = [{"reason": "RegistryBusy", "message": error_text(error)}]
    with translation.override("en"):
        message = _sentence(error, kind, name)
    return failure(code, message, reason=reason, details=details, headers=headers_of(error))


def headers_of(error: ConsoleError) -> dict[str, str]:
    """Retry-After, for errors that pass."""
    if isinstance(error, ApiError):
        return error.headers
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": str(PASSING)} if isinstance(error, Unavailable) and error.passing else {}


def _refusal(error: Refused) -> dict[str, str]:
    full = error.problem in (Problem.QUOTA_EXCEEDED, Problem.NAMESPACE_FULL)
    reason = "QuotaExceeded" if full else "ClusterRefused"
    return {"reason": reason, "message": error_text(error)}


def named(where: Mapping[str, str]) -> tuple[str, str]:
    """Kind and name of the object in the URL; "" without an object."""
    return (RUNS, where["run"]) if "run" in where else (KIND, where.get("name", ""))


def details_of(kind: str, name: str) -> dict[str, Any]:
    if not name:
        return {}
    return {"name": name, **({} if kind == NAMESPACES else {"group": API_GROUP}), "kind": kind}


def _about(error: ConsoleError, where: Mapping[str, str]) -> tuple[str, str]:
    """Kind and name of the object of an error: from the URL, or else from the error's subject."""
    (kind, name), given = named(where), where.get("namespace", "")
    above, slash, last = error.subject.rpartition("/")
    if name or isinstance(error, TooManyRequests):
        return kind, name
    if isinstance(error, InvalidValues):
        return RUNS, ""
    if isinstance(error, Unavailable):  # its subject may be anything
        return (KIND, last) if slash and above == given else (NAMESPACES, given)
    if slash or isinstance(error, Invalid):
        return KIND, last
    return (RUNS if error.problem in _ABOUT_RUNS else NAMESPACES), error.subject or given


def _sentence(error: ConsoleError, kind: str, name: str) -> str:
    subject = " ".join([PLURAL if kind == KIND else kind, *([f'"{name}"'] if name else [])])
    if isinstance(error, Invalid):
        causes = "; ".join(
            f"{it['field']}: {it['message'].rstrip('.')}"
            for it in (_cause(error, one) for one in error.causes)
        )
        causes += f"; and {error.further} more" if error.further else ""
        return f'{KIND} "{name}" is invalid: {causes}' if kind == KIND else f"{subject} is invalid: {causes}"
    if isinstance(error, Refused):
        return f"{subject} is forbidden: {_REFUSALS[error.code]}"
    if isinstance(error, Forbidden):
        return f"{subject} is forbidden" + (f": this takes the role {error.role}" if error.role else "")
    if isinstance(error, TooManyRequests):
        if error.problem == Problem.REGISTRY_BUSY:
            return f"too many tests of this registry: try again in {error.retry_after} s"
        if error.problem == Problem.TOO_MANY_AT_ONCE:
            return (
                f"too many requests at the same time: try again in {error.retry_after} s, with fewer at once"
            )
        return f"too many requests: try again in {error.retry_after} s"
    why = _CONFLICTS.get(error.code) or (problem_text(error.problem) if error.problem else "")
    if error.problem == Problem.TERMINATING:
        return f"{subject} is forbidden: {why}"
    sentences = {
        "NotFound": f"{subject} not found" + (f": {why}" if error.problem == Problem.NO_UNDO else ""),
        "AlreadyExists": f"{f'{why}: ' if why else ''}{subject} already exists",
        "Conflict": f"Operation cannot be fulfilled on {subject}: {why}",
    }
    return sentences.get(error.reason, f"{_SENTENCES[503]}: {why}" if why else _SENTENCES[503])


_REFUSALS = {
    Problem.QUOTA_EXCEEDED: "the quota of its namespace on the cluster is used up; delete what is no longer used, or "
    "ask the cluster's administrator for more",
    Problem.NAMESPACE_FULL: "its namespace is full; delete what is no longer used, or ask the administrator of the "
    "console for a higher CONSOLE_NAMESPACE_REGISTRIES or CONSOLE_NAMESPACE_MIB",
    Problem.CLUSTER_REFUSED: "a rule of the cluster (admission) is against it; ask its administrator which rules are "
    "in force",
    Problem.PASSWORD_FIXED: "the resource definition on the cluster allows no new password; its administrator has to "
    "run manage.py crd --apply",
}

_CONFLICTS = {
    Problem.BEING_DELETED: "the object is being deleted",
    Problem.NO_UNDO: "no deletion of it can be undone",
    Problem.UNDO_TAKEN: "the deleted one can still be restored",
    Problem.CHANGED: "the object has been modified; please apply your changes to the latest version and try again",
    Problem.RECREATED: "the object was deleted and created again meanwhile",
    Problem.KEPT_IN_STEP: "a rule keeps copies of it in sync; send copies=keep, or copies=delete where a run starts",
    Problem.RUN_UNDER_WAY: "this run of yours is under way; wait for it, or cancel it",
    Problem.ALREADY_RUNNING: "it was begun already",
    Problem.NOT_CANCELLABLE: "a run that deletes cannot be cancelled",
}


def _terminating(message: str) -> dict[str, str]:
    return {"reason": "NamespaceTerminating", "message": message, "field": FIELDS["namespace"]}


def _cause(error: Invalid, cause: Cause) -> dict[str, str]:
    """A cause with its path in the body. One that has a path keeps it."""
    return {
        "reason": _CAUSE_REASONS.get(cause.problem, "FieldValueInvalid"),
        "message": API_TEXTS.get(cause.problem)
        or cause_text(replace(cause, field=_OURS.get(cause.field, cause.field))),
        "field": cause.field if isinstance(error, InvalidValues) else FIELDS.get(cause.field, cause.field),
    }
