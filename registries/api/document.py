"""The OpenAPI 3.1 document, built from one table of operations. Plain data; imports schemas and examples.

A test compares the table with the addresses that are really served, and another asks every operation thousands
of questions and holds the answers against it.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from registries.api import examples
from registries.api.bodies import MERGE_PATCH
from registries.api.schemas import NAME, NAMESPACE, SCHEMAS, Schema, reference
from registries.api.status import JSON
from registries.resource import API_VERSION, KIND

BASE = f"/oapis/{API_VERSION}"
_SECRETS = f"{BASE}/namespaces/{{namespace}}/registry-secrets"
_ONE = f"{_SECRETS}/{{name}}"
READ_ERRORS = (400, 401, 404, 429, 500, 503)
WRITE_ERRORS = (400, 401, 403, 404, 413, 415, 429, 500, 503)


@dataclass(frozen=True)
class Operation:
    """One operation. `answers` are (status, what it means, schema, example); `body` is schema and example."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    answer: tuple[int, str, str, Any]
    errors: tuple[int, ...]
    parameters: tuple[str, ...] = ()
    body: tuple[str, Any] | None = None
    optional_body: bool = False
    types: tuple[str, ...] = (JSON,)
    also: tuple[str, ...] = field(default=())
    """Other schemas that the answer may have."""


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
        "description": "From 1. A page past the end has no items.",
        "schema": {"type": "integer", "minimum": 1, "default": 1},
    },
    "limit": {
        "name": "limit",
        "in": "query",
        "description": "Items of a page; more than 500 means 500.",
        "schema": {"type": "integer", "minimum": 1, "default": 10},
    },
    "search": {
        "name": "search",
        "in": "query",
        "description": "Looks in name, display name and domain, in no case.",
        "schema": {"type": "string"},
    },
    "watch": {
        "name": "watch",
        "in": "query",
        "description": "Stream changes as lines of WatchEvent instead of a list.",
        "schema": {"type": "boolean", "default": False},
    },
    "resourceVersion": {
        "name": "resourceVersion",
        "in": "query",
        "description": "Of a watch: after which version. Without one, what there is comes first, as ADDED.",
        "schema": {"type": "string"},
    },
    "timeoutSeconds": {
        "name": "timeoutSeconds",
        "in": "query",
        "description": "Of a watch: how long; more than 1800 means 1800.",
        "schema": {"type": "integer", "minimum": 1, "default": 300},
    },
    "allowWatchBookmarks": {
        "name": "allowWatchBookmarks",
        "in": "query",
        "description": "Of a watch: say every 30 s, and at its end, up to which version everything was told.",
        "schema": {"type": "boolean", "default": False},
    },
    "dryRun": {
        "name": "dryRun",
        "in": "query",
        "description": "Check everything, on a cluster with its admission, and change nothing.",
        "schema": {"enum": ["All"]},
    },
}
_WATCH = ("watch", "resourceVersion", "timeoutSeconds", "allowWatchBookmarks")
_LISTING = ("page", "limit", "search", *_WATCH)

OPERATIONS = (
    Operation(
        "listNamespaces",
        "GET",
        f"{BASE}/namespaces",
        "List namespaces",
        "The namespaces that the caller may see, with the counts of each and what the caller may do there.",
        (200, "The namespaces, by name.", "NamespaceList", examples.NAMESPACES),
        (400, 401, 429, 500, 503),
    ),
    Operation(
        "listAll",
        "GET",
        f"{BASE}/namespaces/_all_/registry-secrets",
        "List, in all namespaces",
        "Every namespace that the caller may see; none is no error.",
        (200, "A page, by namespace and name; or a stream.", f"{KIND}List", examples.LIST),
        (400, 401, 429, 500, 503),
        _LISTING,
        also=("WatchEvent",),
    ),
    Operation(
        "list",
        "GET",
        _SECRETS,
        "List",
        "Page until you have totalItems.",
        (200, "A page, by name; or a stream.", f"{KIND}List", examples.LIST),
        READ_ERRORS,
        ("namespace", *_LISTING),
        also=("WatchEvent",),
    ),
    Operation(
        "create",
        "POST",
        _SECRETS,
        "Create",
        "The new one is untested: call verify next.",
        (201, "Created.", KIND, examples.SECRET),
        (*WRITE_ERRORS, 409, 422),
        ("namespace", "dryRun"),
        (f"New{KIND}", examples.NEW),
    ),
    Operation(
        "get",
        "GET",
        _ONE,
        "Get",
        "ETag is the resourceVersion.",
        (200, "The registry secret.", KIND, examples.SECRET),
        READ_ERRORS,
        ("namespace", "name"),
    ),
    Operation(
        "edit",
        "PATCH",
        _ONE,
        "Edit information",
        "Display name and description only. To change a credential, delete and create.",
        (200, "Changed.", KIND, examples.SECRET),
        (*WRITE_ERRORS, 409, 422),
        ("namespace", "name", "dryRun"),
        (f"{KIND}Patch", examples.PATCH),
        types=(MERGE_PATCH, JSON),
    ),
    Operation(
        "delete",
        "DELETE",
        _ONE,
        "Delete",
        "Images that are pulled with it can no longer be pulled.",
        (204, "Deleted.", "", None),
        (*WRITE_ERRORS, 409),
        ("namespace", "name", "dryRun"),
        ("DeleteOptions", examples.DELETE),
        optional_body=True,
    ),
    Operation(
        "verify",
        "POST",
        f"{_ONE}/verify",
        "Verify",
        "Without a body: test the stored credential and record the verdict. With domain, user name and password: "
        "test these and record nothing; {name} need not exist then. A registry that refuses is a 200 with "
        "`success: false`.",
        (200, "The verdict.", "Verdict", examples.VERDICT),
        (*WRITE_ERRORS, 409, 422),
        ("namespace", "name"),
        ("Credential", examples.TYPED),
        optional_body=True,
    ),
    Operation(
        "listTests",
        "GET",
        f"{_ONE}/tests",
        "List past tests",
        "The last 20 verdicts, newest first, without what the registry said.",
        (200, "The tests.", "TestList", examples.TESTS),
        READ_ERRORS,
        ("namespace", "name"),
    ),
    Operation(
        "createRun",
        "POST",
        f"{BASE}/runs",
        "Delete or verify many",
        "Begins a run over exactly these items, which goes on by itself; when one of them is not there, nothing is "
        "done. One run of tests per person at a time.",
        (201, "Begun.", "Run", examples.RUN),
        (*WRITE_ERRORS, 409, 422),
        (),
        ("NewRun", examples.NEW_RUN),
    ),
    Operation(
        "getRun",
        "GET",
        f"{BASE}/runs/{{run}}",
        "How far a run is",
        "Your own, for as long as it is remembered.",
        (200, "The run.", "Run", examples.RUN),
        READ_ERRORS,
        ("run",),
    ),
    Operation(
        "cancelRun",
        "POST",
        f"{BASE}/runs/{{run}}/cancel",
        "Cancel a run of tests",
        "No further test is begun; those under way end and are recorded.",
        (200, "The run.", "Run", examples.RUN),
        (400, 401, 403, 404, 409, 429, 500, 503),
        ("run",),
    ),
)


@cache
def document() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for it in OPERATIONS:
        paths.setdefault(it.path, {})[it.method.lower()] = _operation(it)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Registry Console",
            "version": API_VERSION.rpartition("/")[2],
            "description": "Credentials of container registries (镜像源), per namespace. Every error is a Status of "
            "Kubernetes, an unknown address (404) and a wrong method (405) included.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "responses": {str(code): _error(code) for code in examples.ERRORS},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token of the console; with CONSOLE_AUTH=kubernetes one of the cluster, "
                    "of a service account for example.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "sessionid",
                    "description": "The browser's own session; what changes something takes X-CSRFToken as well.",
                },
            },
        },
    }


def _operation(it: Operation) -> dict[str, Any]:
    code, meaning, schema, example = it.answer
    shape = {"anyOf": [reference(name) for name in (schema, *it.also)]} if it.also else reference(schema)
    responses: dict[str, Any] = {str(code): {"description": meaning}}
    if schema:
        responses[str(code)]["content"] = {JSON: {"schema": shape, "example": example}}
    if (schema == KIND and code == 200) or schema == f"{KIND}List":
        etag = {"description": "The resourceVersion.", "schema": {"type": "string"}}
        responses[str(code)]["headers"] = {"ETag": etag}
    responses |= {str(error): {"$ref": f"#/components/responses/{error}"} for error in sorted(it.errors)}
    operation: dict[str, Any] = {
        "operationId": it.id,
        "summary": it.summary,
        "description": it.description,
        "parameters": [PARAMETERS[name] for name in it.parameters],
        "responses": responses,
    }
    if it.body:
        content = {kind: {"schema": reference(it.body[0]), "example": it.body[1]} for kind in it.types}
        operation["requestBody"] = {"required": not it.optional_body, "content": content}
    return operation


def _error(code: int) -> dict[str, Any]:
    meaning, example = examples.ERRORS[code]
    response: dict[str, Any] = {
        "description": meaning,
        "content": {JSON: {"schema": reference("Status"), "example": example}},
    }
    if code == 429:
        response["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "required": True}}
    return response
