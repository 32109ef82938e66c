"""The parts that the JSON Schemas of the API are made of."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registries.domain.metadata import NAME_MAX, NAMESPACE_MAX
from registries.domain.resource import API_VERSION

Schema = dict[str, Any]

NAME: Schema = {
    "type": "string",
    "maxLength": NAME_MAX,
    "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
}
NAMESPACE: Schema = {
    "type": "string",
    "maxLength": NAMESPACE_MAX,
    "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
}
STAMP: Schema = {"type": "string", "pattern": "^[0-9]+$", "description": _("milliseconds since the epoch")}
VERSION: Schema = {"const": API_VERSION}


def text(description: str | Promise | None = None, **more: Any) -> Schema:
    return {"type": "string", **({} if description is None else {"description": description}), **more}


def thing(properties: Schema, *required: str, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), **more}


def closed(properties: Schema, **more: Any) -> Schema:
    """An object schema: all properties required, no others allowed."""
    return thing(properties, *properties, additionalProperties=False, **more)


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def listing(kind: str, item: Schema, **more: Schema) -> Schema:
    properties = {
        "apiVersion": VERSION,
        "kind": {"const": kind},
        **more,
        "items": {"type": "array", "items": item},
        "totalItems": {"type": "integer", "minimum": 0},
    }
    return closed(properties)
