"""Examples of all bodies and responses. Tests validate them against their schemas."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registries.domain.resource import API_GROUP, API_VERSION, KIND, PREFIX

NEW: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": KIND,
    "metadata": {
        "name": "harbor-prod",
        "labels": {"app.kubernetes.io/part-of": "shop"},
        "annotations": {PREFIX + "display-name": "生产环境 Harbor"},
    },
    "spec": {
        "domain": "harbor.example.com",
        "username": "admin",
        "password": "password-of-the-registry",
        "provider": "harbor",
    },
}
SECRET: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": KIND,
    "metadata": {
        "name": "harbor-prod",
        "namespace": "default",
        "labels": {"app.kubernetes.io/part-of": "shop"},
        "annotations": {
            PREFIX + "display-name": "生产环境 Harbor",
            PREFIX + "domain": "harbor.example.com",
            PREFIX + "username": "admin",
            PREFIX + "provider": "harbor",
            PREFIX + "verify-status": "success",
            PREFIX + "verify-reason": "ok",
            PREFIX + "verify-message": "连接成功",
            PREFIX + "verify-timestamp": "1704676800000",
            PREFIX + "certificate-expires": "2024-04-08T01:20:00Z",
        },
        "uid": "5f0c7c1e-6d0a-4f0e-9b57-0a1c7a0d3b52",
        "resourceVersion": "42",
        "creationTimestamp": "2024-01-08T01:20:00Z",
    },
    "spec": {"domain": "harbor.example.com", "username": "admin", "provider": "harbor"},
}
LIST: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": f"{KIND}List",
    "metadata": {"resourceVersion": "42"},
    "items": [SECRET],
    "totalItems": 1,
}
PATCH: dict[str, Any] = {
    "metadata": {
        "resourceVersion": "42",
        "annotations": {PREFIX + "display-name": "生产 Harbor", PREFIX + "description": None},
    }
}
TYPED: dict[str, Any] = {
    "domain": "harbor.example.com",
    "username": "admin",
    "password": "password-of-the-registry",
}
NEW_PASSWORD: dict[str, Any] = {"password": "new-password-of-the-registry", "test": True}
NEW_ROTATION: dict[str, Any] = {
    "password": "new-password-of-the-registry",
    "copies": [{"namespace": "team-a", "name": "harbor-copy"}],
}
ROTATION: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "Run",
    "id": "9d0c7c1e-6d0a-4f0e-9b57-0a1c7a0d3b52",
    "type": "rotate",
    "state": "running",
    "total": 2,
    "ended": 1,
    "succeeded": 1,
    "failed": 0,
    "items": [
        {"namespace": "default", "name": "harbor-prod", "state": "done", "reason": "ok", "problem": ""},
        {"namespace": "team-a", "name": "harbor-copy", "state": "waiting", "reason": "", "problem": ""},
    ],
}
VERDICT: dict[str, Any] = {
    "success": False,
    "message": "用户名或密码错误",
    "reason": "bad_credentials",
    "timestamp": "1704676800000",
    "durationMs": 84,
    "proven": False,
    "hint": "Harbor OIDC 用 CLI 密钥；阿里云用固定密码；机器人账号含 robot$ 前缀",
    "detail": "UNAUTHORIZED",
    "cause": "",
    "registryHost": "harbor.example.com",
    "tokenHost": "harbor.example.com",
    "stages": [{"name": "resolve", "ms": 2.1, "ok": True}, {"name": "token", "ms": 41.0, "ok": False}],
    "warnings": [],
    "node": "",
    "nodeMessage": "",
    "image": None,
}
IMAGES: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "ImageList",
    "items": [{"image": "harbor.example.com/shop/web:1.4.2"}],
    "totalItems": 1,
    "listed": True,
}
TESTS: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "TestList",
    "items": [{"by": "olive", **VERDICT, "detail": ""}],
    "totalItems": 1,
}
NAMESPACES: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "NamespaceList",
    "items": [
        {
            "name": "default",
            "registries": 3,
            "success": 1,
            "failed": 1,
            "untested": 1,
            "permissions": ["get", "list", "patch"],
        }
    ],
    "totalItems": 1,
}
NEW_RUN: dict[str, Any] = {
    "type": "verify",
    "items": [
        {"namespace": "default", "name": "harbor-prod"},
        {"namespace": "default", "name": "aliyun-dev"},
    ],
}
RUN: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "Run",
    "id": "0b6f4a54-5a0e-4bb4-9a1b-0f2f5b6c7d8e",
    "type": "verify",
    "state": "running",
    "total": 2,
    "ended": 1,
    "succeeded": 0,
    "failed": 1,
    "items": [
        {
            "namespace": "default",
            "name": "aliyun-dev",
            "state": "done",
            "reason": "bad_credentials",
            "problem": "",
        }
    ],
}
RUNS: dict[str, Any] = {"apiVersion": API_VERSION, "kind": "RunList", "items": [RUN], "totalItems": 1}
UNDO: dict[str, Any] = {"uid": SECRET["metadata"]["uid"]}
DELETE: dict[str, Any] = {"preconditions": {"uid": SECRET["metadata"]["uid"]}}


def _status(code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    status = {
        "kind": "Status",
        "apiVersion": API_VERSION,
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    return {**status, "details": details} if details else status


_ABOUT = {"name": "harbor-prod", "group": API_GROUP, "kind": KIND}
_NAMED = f'registrysecrets.{API_GROUP} "harbor-prod"'

ERRORS: dict[int, tuple[str | Promise, dict[str, Any]]] = {
    400: (_("The request is malformed."), _status(400, "BadRequest", "the body is not valid JSON")),
    401: (
        _("The token is missing, wrong, expired or revoked."),
        _status(401, "Unauthorized", "Unauthorized"),
    ),
    403: (
        _(
            "The object is visible, but the role is missing, or a rule of the cluster forbids it "
            "(see causes); or the session request has no CSRF token; or the namespace is being "
            "deleted."
        ),
        _status(403, "Forbidden", f"{_NAMED} is forbidden: this takes the role image-admin", _ABOUT),
    ),
    404: (
        _("Not found, or not visible to the caller."),
        _status(404, "NotFound", f"{_NAMED} not found", _ABOUT),
    ),
    409: (
        _("The name is taken, a precondition failed, or the object changed in the meantime."),
        _status(409, "AlreadyExists", f"{_NAMED} already exists", _ABOUT),
    ),
    413: (_("The body is too large."), _status(413, "RequestEntityTooLarge", "the request is too large")),
    415: (
        _("The content type of the body is not supported."),
        _status(415, "UnsupportedMediaType", "the body is in an unknown format"),
    ),
    422: (
        _("Fields are missing or invalid, with one cause each."),
        _status(
            422,
            "Invalid",
            f'{KIND} "harbor-prod" is invalid: spec.domain: This field is required',
            {
                **_ABOUT,
                "causes": [{"reason": "FieldValueRequired", "message": "此项必填。", "field": "spec.domain"}],
            },
        ),
    ),
    429: (
        _("Too many requests, or too many waiting requests. Wait for the seconds in Retry-After."),
        _status(429, "TooManyRequests", "too many requests: try again in 2 s", {"retryAfterSeconds": 2}),
    ),
    500: (
        _("Internal error. The cause is in the log."),
        _status(500, "InternalError", "an internal error occurred"),
    ),
    503: (
        _("The store is temporarily unavailable."),
        _status(503, "ServiceUnavailable", "the server cannot answer at the moment"),
    ),
}
