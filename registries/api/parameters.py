"""The parameters of the OpenAPI document. Texts are lazy translations."""

from django.utils.translation import gettext_lazy as _

from registries.api import examples
from registries.api.schemas import NAME, NAMESPACE, Schema

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
        "description": _("From 1. A page past the end has no items."),
        "schema": {"type": "integer", "minimum": 1, "default": 1},
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "description": _("Items of a page; more than 500 means 500."),
        "schema": {"type": "integer", "minimum": 1, "default": 10},
    },
    "search": {
        "name": "search",
        "in": "query",
        "description": _("Looks in name, display name and domain, ignoring case. Not for a watch."),
        "schema": {"type": "string"},
    },
    "labelSelector": {
        "name": "labelSelector",
        "in": "query",
        "description": _(
            "Only those whose labels it selects, as Kubernetes writes it, for example app=web,tier notin (x,y). In a "
            "watch, what is selected no longer is DELETED."
        ),
        "schema": {"type": "string"},
    },
    "fieldSelector": {
        "name": "fieldSelector",
        "in": "query",
        "description": _("The same by metadata.name and metadata.namespace, equal or not."),
        "schema": {"type": "string"},
    },
    "watch": {
        "name": "watch",
        "in": "query",
        "description": _("Stream changes as lines of WatchEvent instead of a list."),
        "schema": {"type": "boolean", "default": False},
    },
    "resourceVersion": {
        "name": "resourceVersion",
        "in": "query",
        "description": _(
            "Of a watch: after which version. Without one, what there is comes first, as ADDED."
        ),
        "schema": {"type": "string"},
    },
    "timeoutSeconds": {
        "name": "timeoutSeconds",
        "in": "query",
        "description": _("Of a watch: how long; more than 1800 means 1800, and 0 means 300."),
        "schema": {"type": "integer", "minimum": 0, "default": 300},
    },
    "allowWatchBookmarks": {
        "name": "allowWatchBookmarks",
        "in": "query",
        "description": _(
            "Of a watch: say every 30 s, and at its end, up to which version everything was told."
        ),
        "schema": {"type": "boolean", "default": False},
    },
    "dryRun": {
        "name": "dryRun",
        "in": "query",
        "description": _("Check everything, on a cluster with its admission, and change nothing."),
        "schema": {"enum": ["All"]},
    },
}
