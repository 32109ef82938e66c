"""The OpenAPI document is true: every operation that is served and no other, every example, thousands of answers."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import hypothesis
import jsonschema_rs
import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from schemathesis import Case, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from console.handler import Handler
from registries import wiring
from registries.api.document import document
from registries.api.examples import ERRORS
from registries.api.operations import OPERATIONS
from registries.api.urls import operations
from registries.models import StoredResource
from registries.wiring import services
from tests import examples
from tests.api.test_api import TEAM_A, body
from tests.cast import Cast

EXAMPLES = [
    (f"{it.id} {place}", schema, example)
    for it in OPERATIONS
    for place, schema, example in (("answer", it.answer[2], it.answer[3]), ("body", *(it.body or ("", None))))
    if schema
]
SCHEMAS = document("en")["components"]["schemas"]


def problems(schema: str, value: Any) -> list[str]:
    whole = {**SCHEMAS[schema], "components": {"schemas": SCHEMAS}}
    return [str(it) for it in jsonschema_rs.Draft202012Validator(whole).iter_errors(value)]


def test_is_an_openapi_document() -> None:
    text = Client().get("/oapis/openapi.json")

    assert text["Content-Type"] == "application/json"
    assert text.json() == json.loads(json.dumps(document("en")))
    assert text.json()["openapi"].startswith("3.1")


def test_has_every_operation_that_is_served_and_no_other() -> None:
    served = {
        (method, f"/oapis/{pattern.pattern}".replace("<str:", "{").replace(">", "}"))
        for pattern in operations
        for method in pattern.callback.methods
    }

    assert {(it.method, it.path) for it in OPERATIONS} == served


@pytest.mark.parametrize(("name", "schema", "example"), EXAMPLES, ids=[name for name, *_ in EXAMPLES])
def test_an_example_is_true_to_its_schema(name: str, schema: str, example: Any) -> None:
    assert problems(schema, example) == []


@pytest.mark.parametrize("code", ERRORS)
def test_the_example_of_an_error_is_a_status(code: int) -> None:
    assert problems("Status", ERRORS[code][1]) == []
    assert ERRORS[code][1]["code"] == code


def test_a_password_in_an_answer_would_be_noticed(cast: Cast) -> None:
    cast.add()
    found = cast.api("vic").get(f"{TEAM_A}/harbor-prod").json()
    assert problems("RegistrySecret", found) == []

    found["spec"]["password"] = "x"
    assert problems("RegistrySecret", found)


PRESENT = {"namespace": "team-a", "name": "harbor-prod"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@cache
def handler() -> Handler:
    """Made with the first request, when the files for the browser are there."""
    return Handler()


schema = openapi.from_dict(document("en"))
schema.app = lambda environ, start: handler()(environ, start)  # noqa: PLW0108  made late


@pytest.fixture
def stage(cast: Cast, settings: Any) -> Iterator[Cast]:
    """The API without a limit of its rate, asked in this thread, whose connection stays open."""
    settings.API_RATE = settings.TESTS_PER_MINUTE = 0
    wiring.reset()
    request_finished.disconnect(close_old_connections)
    request_started.disconnect(close_old_connections)
    yield cast
    request_finished.connect(close_old_connections)
    request_started.connect(close_old_connections)


def one_in(number: int, value: object) -> bool:
    """Of all values, the same ones whenever they come."""
    return sum(map(ord, str(value))) % number == 0


def aim(case: Case, run: str) -> None:
    """Let most of what is asked be about what is there, and half of what is sent be good but for what surrounds it;
    nothing is asked of the network or for long."""
    for name, there in {**PRESENT, "run": run}.items():
        if name in case.path_parameters and not one_in(4, case.path_parameters[name]):
            case.path_parameters[name] = there
    for name in ("watch", "timeoutSeconds"):
        case.query.pop(name, None)
    if not isinstance(case.body, dict):
        return
    case.body = dict(case.body)  # the document's own example is not ours to change
    if case.path.endswith("/verify") and isinstance(case.body.get("domain"), str):
        case.body["domain"] = "127.0.0.1:9" if one_in(2, case.body["domain"]) else "no host"
    if case.path.endswith("/registry-secrets") and one_in(2, case.body):
        case.body["spec"] = body()["spec"]
    if case.path.endswith("/runs") and one_in(2, case.body):
        case.body["items"] = [dict(PRESENT)]


DECISIONS = ("/retry", "/roll-back", "/leave")


def stopped_rotation(stage: Cast) -> str:
    """A change of two passwords that stopped: the first is stored and does not connect."""
    for name in ("first", "second"):
        if not StoredResource.objects.filter(kind="RegistrySecret", name=name).exists():
            stage.add(name, "team-a", domain="127.0.0.1:9")
    found = [stage.find(name) for name in ("first", "second")]
    changes = {"password": "another-1"}
    return str(
        services().rotations.begin(
            access=stage.access("olive"), registries=found, changes=changes, anyway=True
        )
    )


def finished_run(stage: Cast) -> str:
    runs, access = services().runs["verify"], stage.access("olive")
    run = runs.propose(access=access, registries=[stage.find()])
    runs.start(access=access, run_id=run)
    return str(run)


@schema.parametrize()
@hypothesis.settings(
    max_examples=examples.of(200),
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_answer_is_as_documented(case: Case, stage: Cast) -> None:
    if not StoredResource.objects.filter(kind="RegistrySecret", name="harbor-prod").exists():
        stage.add("harbor-prod", "team-a", domain="127.0.0.1:9")
    if not hasattr(stage, "bearer"):
        stage.bearer = f"Bearer {stage.token('olive')}"  # type: ignore[attr-defined]
        stage.run = finished_run(stage)  # type: ignore[attr-defined]
    stopped = case.path.endswith(DECISIONS)
    aim(case, stopped_rotation(stage) if stopped else stage.run)  # type: ignore[attr-defined]

    headers = {"Authorization": stage.bearer, "Accept-Encoding": "identity"}  # type: ignore[attr-defined]
    response = case.call(headers=headers)

    case.validate_response(response, checks=CHECKS)
