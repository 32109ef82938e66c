"""The OpenAPI 3.1 document, built from the table of operations. Texts are lazy translations."""

from functools import cache
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registries.api import examples
from registries.api.operation import PARAMETERS, Operation
from registries.api.operations import OPERATIONS
from registries.api.schemas import SCHEMAS
from registries.api.shapes import reference
from registries.api.status import JSON
from registries.domain.resource import API_VERSION, KIND


@cache
def document(language: str) -> dict[str, Any]:
    with translation.override(language):
        whole: dict[str, Any] = said(_document())
        return whole


def said(value: Any) -> Any:
    """The value as plain data, with texts in the active language."""
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, dict):
        return {name: said(one) for name, one in value.items()}
    return [said(one) for one in value] if isinstance(value, list | tuple) else value


def _document() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for it in OPERATIONS:
        paths.setdefault(it.path, {})[it.method.lower()] = _operation(it)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Registry Console",
            "version": API_VERSION.rpartition("/")[2],
            "description": _(
                "Credentials of container registries, per namespace. Every error is a Kubernetes "
                "Status, including an unknown URL (404) and a wrong method (405)."
            ),
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
                    "description": _(
                        "An access token of the console. With CONSOLE_AUTH=kubernetes: a token of the cluster,"
                        " for example of a service account."
                    ),
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "sessionid",
                    "description": _(
                        "The session of the browser. Requests that change something also need X-CSRFToken."
                    ),
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
        meaning = _("The resourceVersion.") if schema == KIND else _("Changes when the list changes.")
        etag = {"description": meaning, "schema": {"type": "string"}}
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
    if code in (429, 503):
        wait = {"schema": {"type": "integer", "minimum": 1}, "required": code == 429}
        response["headers"] = {"Retry-After": wait}
    return response
