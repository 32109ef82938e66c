"""What kubectl applied is shown parsed, or as a placeholder: nothing raw, in no field, wherever a registry is shown."""

import json
from typing import Any

import pytest

from registries import metrics
from registries.domain.resource import PREFIX, as_applied, as_tested, to_domain
from registries.domain.shown import NOT_VALID
from registries.probe import Policy, probe

SECRET = "s3cretword"
VALID = f"https://host.example/{SECRET}"
"""A path is ignored."""
LEAKS = [
    f"https://robot:{SECRET}@host.example",
    f"robot:{SECRET}@host.example:5000",
    f"host.example?token={SECRET}",
    f"host.example#{SECRET}",
    VALID,
    f"http://host.example/v2/?p={SECRET}",
    f"https://robot:{SECRET}",
    f"host.example:{SECRET}",
    f"{SECRET}!.example",
    f"ftp://{SECRET}@host.example",
    f"robot {SECRET}",
    f"\\\\{SECRET}",
    f"[{SECRET}]:5000",
]
FORMS = [*LEAKS, f"a\n{SECRET}:b"]


def resource(spec: dict[str, Any], notes: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": "x", "namespace": "n", "uid": "u", "resourceVersion": "1"}
    return {
        "metadata": {**metadata, "annotations": {PREFIX + name: value for name, value in notes.items()}},
        "spec": {"domain": "host.example", "username": "robot", "provider": "harbor", "password": "cA==", **spec},
    }  # fmt: skip


def everything_shown(applied: dict[str, Any]) -> str:
    found = to_domain(applied)
    exposed = metrics.exposition(metrics.Registries([found], 0.0), None).decode()
    return repr(found) + found.document.decode() + exposed


@pytest.mark.parametrize("text", LEAKS)
@pytest.mark.parametrize("place", ["spec", "annotation", "annotation alone"])
def test_a_domain(text: str, place: str) -> None:
    spec: dict[str, Any] = {"domain": text} if place == "spec" else {}
    spec |= {"domain": None} if place == "annotation alone" else {}
    notes = {} if place == "spec" else {"domain": text}

    assert SECRET not in everything_shown(resource(spec, notes))


@pytest.mark.parametrize("text", [it for it in FORMS if ":" in it])
def test_a_user_name(text: str) -> None:
    shown = everything_shown(resource({"username": text}, {"username": text}))

    assert SECRET not in shown
    assert NOT_VALID in shown


@pytest.mark.parametrize("text", FORMS)
def test_a_provider_and_unknown_fields(text: str) -> None:
    spec = {"provider": text, "note": text, "domains": [text]}

    assert SECRET not in everything_shown(resource(spec, {"provider": text}))


@pytest.mark.parametrize("text", [it for it in LEAKS if it != VALID])
def test_the_verdict_of_a_test_quotes_nothing(text: str) -> None:
    result = probe(as_tested(resource({"domain": text}, {})).address, "robot", "p", Policy())

    assert not result.ok
    assert SECRET not in result.message("en") + json.dumps(dict(result.params), default=str)


def test_valid_values_stay_and_are_canonical() -> None:
    found = to_domain(
        resource({"domain": "http://Host.example:80/"}, {"domain": "HUB.docker.com", "username": "a@b"})
    )
    shown = json.loads(found.document)

    assert (found.address, shown["spec"]["domain"]) == ("http://host.example:80", "host.example:80")
    assert shown["metadata"]["annotations"][PREFIX + "domain"] == "docker.io"
    assert shown["metadata"]["annotations"][PREFIX + "username"] == "a@b"


def test_a_pull_secret_has_the_address_as_applied() -> None:
    assert as_applied(resource({"domain": "my_registry:5000"}, {})).domain == "my_registry:5000"
