"""One operation of the API, for its OpenAPI document and its page."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

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
