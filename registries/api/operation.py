"""One operation of the API, and the parameters of all of them, for the document and its page. Texts are lazy
translations.
"""

from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registries.api import examples
from registries.api.shapes import NAME, NAMESPACE, Schema
from registries.api.status import JSON
from registries.domain.resource import API_VERSION

BASE = f"/oapis/{API_VERSION}"
SECRETS = f"{BASE}/namespaces/{{namespace}}/registry-secrets"
ONE = f"{SECRETS}/{{name}}"
READ_ERRORS = (400, 401, 404, 429, 500, 503)
WRITE_ERRORS = (400, 401, 403, 404, 413, 415, 429, 500, 503)

Text = str | Promise


@dataclass(frozen=True)
class Operation:
    """One operation. `answers` are (status, description, schema, example); `body` is (schema, example)."""

    id: str
    method: str
    path: str
    summary: Text
    description: Text
    answer: tuple[int, Text, str, Any]
    errors: tuple[int, ...]
    parameters: tuple[str, ...] = ()
    body: tuple[str, Any] | None = None
    optional_body: bool = False
    types: tuple[str, ...] = (JSON,)
    also: tuple[str, ...] = field(default=())
    """Further schemas of the successful response."""


PARAMETERS: dict[str, Schema] = {
    "run": {
        "name": "run",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
        "example": examples.RUN["id"],
    },
    "namespace": {
        "name": "namespace",
        "in": "path",
        "required": True,
        "schema": NAMESPACE,
        "example": "default",
    },
    "name": {"name": "name", "in": "path", "required": True, "schema": NAME, "example": "harbor-prod"},
    "page": {
        "name": "page",
        "in": "query",
        "description": _("Starts at 1. A page after the last one has no items."),
        "schema": {"type": "integer", "minimum": 1, "default": 1},
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "description": _("Items per page. Values above 500 count as 500."),
        "schema": {"type": "integer", "minimum": 1, "default": 10},
    },
    "continue": {
        "name": "continue",
        "in": "query",
        "description": _("The metadata.continue of the page before. It replaces page."),
        "schema": {"type": "string"},
    },
    "search": {
        "name": "search",
        "in": "query",
        "description": _("Text to find in name, display name or domain, case-insensitive. Not for a watch."),
        "schema": {"type": "string"},
    },
    "labelSelector": {
        "name": "labelSelector",
        "in": "query",
        "description": _(
            "A label selector as in Kubernetes, for example app=web,tier notin (x,y). In a watch, "
            "an item that no longer matches is DELETED."
        ),
        "schema": {"type": "string"},
    },
    "fieldSelector": {
        "name": "fieldSelector",
        "in": "query",
        "description": _("A field selector on metadata.name and metadata.namespace, equal or not equal."),
        "schema": {"type": "string"},
    },
    "watch": {
        "name": "watch",
        "in": "query",
        "description": _("Stream changes, one WatchEvent per line, instead of a list."),
        "schema": {"type": "boolean", "default": False},
    },
    "resourceVersion": {
        "name": "resourceVersion",
        "in": "query",
        "description": _(
            "For a watch: the version to start after. Without it, existing items come first, as ADDED."
        ),
        "schema": {"type": "string"},
    },
    "timeoutSeconds": {
        "name": "timeoutSeconds",
        "in": "query",
        "description": _("For a watch: the duration in seconds. Values above 1800 count as 1800, 0 as 300."),
        "schema": {"type": "integer", "minimum": 0, "default": 300},
    },
    "allowWatchBookmarks": {
        "name": "allowWatchBookmarks",
        "in": "query",
        "description": _("For a watch: send a BOOKMARK with the current version every 30 s and at the end."),
        "schema": {"type": "boolean", "default": False},
    },
    "domain": {
        "name": "domain",
        "in": "query",
        "description": _("An address that is not stored, instead of that of the registry secret."),
        "schema": {"type": "string"},
    },
    "forget": {
        "name": "forget",
        "in": "query",
        "description": _("Keep nothing for an undo, for example of a password that leaked."),
        "schema": {"type": "boolean", "default": False},
    },
    "copies": {
        "name": "copies",
        "in": "query",
        "description": _(
            "For a source whose rule keeps copies in sync: keep leaves them there, and they follow no more. Without"
            " it, the answer is a 409. To delete them as well, start a run with copies: delete."
        ),
        "schema": {"enum": ["keep"]},
    },
    "copiesOfRule": {
        "name": "copies",
        "in": "query",
        "description": _("What becomes of the copies that the rule made and that nobody changed."),
        "schema": {"enum": ["keep", "delete"]},
    },
    "unbind": {
        "name": "unbind",
        "in": "query",
        "description": _("Also unbind the default service accounts that the rule bound, in the background."),
        "schema": {"type": "boolean", "default": False},
    },
    "dryRun": {
        "name": "dryRun",
        "in": "query",
        "description": _("Validate only, on a cluster including admission. Nothing is changed."),
        "schema": {"enum": ["All"]},
    },
}
