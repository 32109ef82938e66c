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
from registries.domain.resource import API_ROOT, API_VERSION

BASE = f"{API_ROOT}/{API_VERSION}"
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


def _path(name: str, schema: Schema, example: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": example}


def _query(name: str, description: Text, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean", "default": False}
_PARAMETERS = (
    _path("run", {"type": "string", "format": "uuid"}, examples.RUN["id"]),
    _path("namespace", NAMESPACE, "default"),
    _path("name", NAME, "harbor-prod"),
    _query(
        "page",
        _("Starts at 1. A page after the last one has no items."),
        {"type": "integer", "minimum": 1, "default": 1},
    ),
    _query(
        "limit",
        _("Items per page. Values above 500 count as 500."),
        {"type": "integer", "minimum": 1, "default": 10},
    ),
    _query("continue", _("The metadata.continue of the page before. It replaces page."), _TEXT),
    _query(
        "search", _("Text to find in name, display name or domain, case-insensitive. Not for a watch."), _TEXT
    ),
    _query(
        "labelSelector",
        _(
            "A label selector as in Kubernetes, for example app=web,tier notin (x,y). In a watch, "
            "an item that no longer matches is DELETED."
        ),
        _TEXT,
    ),
    _query(
        "fieldSelector",
        _("A field selector on metadata.name and metadata.namespace, equal or not equal."),
        _TEXT,
    ),
    _query("watch", _("Stream changes, one WatchEvent per line, instead of a list."), _FLAG),
    _query(
        "resourceVersion",
        _("For a watch: the version to start after. Without it, existing items come first, as ADDED."),
        _TEXT,
    ),
    _query(
        "timeoutSeconds",
        _("For a watch: the duration in seconds. Values above 1800 count as 1800, 0 as 300."),
        {"type": "integer", "minimum": 0, "default": 300},
    ),
    _query(
        "allowWatchBookmarks",
        _("For a watch: send a BOOKMARK with the current version every 30 s and at the end."),
        _FLAG,
    ),
    _query("domain", _("An address that is not stored, instead of that of the registry secret."), _TEXT),
    _query("forget", _("Keep nothing for an undo, for example of a password that leaked."), _FLAG),
    _query(
        "copies",
        _(
            "For a source whose rule keeps copies in sync: keep leaves them there, and they follow no more. Without"
            " it, the answer is a 409. To delete them as well, start a run with copies: delete."
        ),
        {"enum": ["keep"]},
    ),
    _query(
        "unbind", _("Also unbind the default service accounts that the rule bound, in the background."), _FLAG
    ),
    _query(
        "dryRun", _("Validate only, on a cluster including admission. Nothing is changed."), {"enum": ["All"]}
    ),
)
PARAMETERS: dict[str, Schema] = {it["name"]: it for it in _PARAMETERS}
PARAMETERS["copiesOfRule"] = _query(
    "copies",
    _("What happens to the copies that the rule made and that nobody changed."),
    {"enum": ["keep", "delete"]},
)
