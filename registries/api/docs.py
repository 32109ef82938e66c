"""The OpenAPI document as JSON and as a page, both without log-in.

The page uses the language of the console. The JSON is English unless Accept-Language asks for Chinese.
"""

import json
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from registries.api import endpoint
from registries.api.document import document, said
from registries.api.examples import ERRORS, RUN
from registries.api.operation import BASE, PARAMETERS, Operation
from registries.api.operations import OPERATIONS
from registries.api.schemas import SCHEMAS
from registries.api.shapes import Schema
from registries.api.status import answer
from registries.words.shell import ASK_TOKEN, BEARER

_BY_ID = {it.id: it for it in OPERATIONS}
_GROUPS = (
    (_("Namespaces"), "listNamespaces"),
    (
        pgettext_lazy("objects", "Registries"),
        "list listAll get create edit changePassword rotatePassword delete undo",
    ),
    (_("Tests"), "verify listTests listImages"),
    (_("Runs"), "createRun listRuns getRun cancelRun retryRun rollBackRun leaveRun"),
    (_("Sync rules"), "listSyncRules getSyncRule putSyncRule solveSyncRule deleteSyncRule"),
)
"""The operations of the page by their object, in the order in which a reader needs them: (title, ids)."""


@login_not_required
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    language = endpoint.language(request, otherwise="en")
    response = answer(document(language), headers={"Content-Language": language})
    patch_vary_headers(response, ["Accept-Language"])
    return response


@login_not_required
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    context = {
        "groups": [(title, [_shown(request, _BY_ID[it]) for it in ids.split()]) for title, ids in _GROUPS],
        "schemas": [
            (name, schema.get("description", ""), _written(schema)) for name, schema in SCHEMAS.items()
        ],
        "base": BASE,
        "ask_token": ASK_TOKEN,
    }
    return render(request, "api/docs.html", context)


def _shown(request: HttpRequest, it: Operation) -> dict[str, Any]:
    code, meaning, schema, example = it.answer
    return {
        "it": it,
        "parameters": [(PARAMETERS[name], _range(PARAMETERS[name]["schema"])) for name in it.parameters],
        "body": _written(it.body[1]) if it.body else "",
        "curl": curl(request, it),
        "code": code,
        "meaning": meaning,
        "schema": schema,
        "example": _written(example) if example else "",
        "errors": [(code, ERRORS[code][0]) for code in sorted(it.errors)],
    }


def curl(request: HttpRequest, it: Operation) -> str:
    """The operation as a curl command with example values."""
    path = it.path.format(namespace="default", name="harbor-prod", run=RUN["id"])
    parts = ["curl", BEARER]
    if it.method != "GET":
        parts.append(f"-X {it.method}")
    if it.body and not it.optional_body:
        parts.append(f"-H 'Content-Type: {it.types[0]}' -d @body.json")
    return " ".join((*parts, f"'{request.build_absolute_uri(path)}'"))


def _range(schema: Schema) -> str:
    """A parameter's type as a short text."""
    if "enum" in schema:
        return " | ".join(schema["enum"])
    kind = str(schema["type"])
    return f"{kind} = {json.dumps(schema['default'])}" if "default" in schema else kind


def _written(value: Any) -> str:
    return json.dumps(said(value), ensure_ascii=False, indent=2)
