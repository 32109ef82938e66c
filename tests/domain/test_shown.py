"""What kubectl applied is shown parsed, or as a placeholder: nothing raw, in no field, wherever a registry is shown."""

import base64
import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from registries import metrics
from registries.domain.reading import as_applied, as_tested, to_domain
from registries.domain.resource import OURS, PREFIX, encode_password
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
    exposed = metrics.exposition(metrics.Registries().text([found], 0.0), None).decode()
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


ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of a pair": lambda text: base64.b64encode(f"robot:{text}".encode()).decode(),
    "base64 of JSON": lambda text: base64.b64encode(f'{{"p":"{text}"}}'.encode()).decode(),
    "percent": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "upper": str.upper,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "HTML": html.escape,
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
}
NOTES = [
    *sorted(OURS),
    PREFIX + "last-verify-time",
    PREFIX + "verify-detail",
    "example.com/note",
    "kubectl.kubernetes.io/last-applied-configuration",
]
PLACES = [
    *(("annotation", name) for name in NOTES),
    *(("spec", name) for name in ("domain", "username", "provider", "note")),
    *(("label", name) for name in ("app", PREFIX + "verify-status")),
    *(
        (place, "")
        for place in ("annotation key", "label key", "finalizer", "owner", "status", "managedFields")
    ),
    ("generateName", ""),
]


def applied_with(place: str, name: str, text: str, password: str) -> dict[str, Any]:
    found = resource({"password": encode_password(password)}, {"verify-status": "failed"})
    metadata = found["metadata"]
    match place:
        case "annotation":
            metadata["annotations"][name] = text
        case "spec":
            found["spec"][name] = text
        case "label":
            metadata["labels"] = {name: text}
        case "annotation key":
            metadata["annotations"][text] = "x"
        case "label key":
            metadata["labels"] = {text: "x"}
        case "finalizer":
            metadata["finalizers"] = [text]
        case "owner":
            metadata["ownerReferences"] = [{"name": text}]
        case "status":
            found["status"] = {"message": text}
        case _:
            metadata[place] = text
    return found


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(text for one in value.values() for text in texts(one))]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else [str(value)]


PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=8, max_size=40)


@pytest.mark.parametrize(("place", "name"), PLACES)
@settings(max_examples=25)
@given(data=st.data())
def test_a_password_in_any_field_and_encoding_is_in_no_output(
    place: str, name: str, data: st.DataObject
) -> None:
    password = data.draw(PASSWORDS.filter(lambda it: len(it.strip()) >= 8))
    encoded = ENCODINGS[data.draw(st.sampled_from(sorted(ENCODINGS)))](password)
    around = st.text(max_size=6)
    text = data.draw(around) + encoded + data.draw(around)
    assume(
        (place, name) not in (("spec", "username"), ("annotation", PREFIX + "username")) or text != password
    )

    found = to_domain(applied_with(place, name, text, password))

    shown = [
        *texts(json.loads(found.document)),
        repr(found),
        everything_shown(applied_with(place, name, text, password)),
    ]
    innocent = everything_shown(applied_with("status", "", "", password))
    for needle in (encoded.strip(), password.strip()):
        assume(needle not in innocent)
        assert not any(needle in one for one in shown)


FOREIGN = [
    "https://robot:s3cretword@host.example",
    "token=s3cretword",
    "Authorization: Basic cm9ib3Q6czNjcmV0d29yZA==",
    "Bearer s3cretword",
    "password: s3cretword",
    '{"password":"s3cretword"}',
    "eyJhbGciOiJIUzI1NiJ9.s3cretword",
    "s3cretword\nline",
    "s3cretword\u202e",
    "s3cretword" * 1000,
]


@pytest.mark.parametrize("text", FOREIGN)
@pytest.mark.parametrize(
    "name", sorted(set(NOTES) - {"example.com/note"} - {PREFIX + "display-name", PREFIX + "description"})
)
def test_a_foreign_credential_in_an_annotation_of_the_platform(name: str, text: str) -> None:
    applied = applied_with("annotation", name, text, "another-password")
    assert "cretword" not in everything_shown(applied)
    assert "cm9ib3" not in everything_shown(applied)


@pytest.mark.parametrize("name", ["display-name", "description"])
@pytest.mark.parametrize("odd", ["\x1b[31m", "\u202e", "\x00", "\u2066"])
def test_a_text_with_control_characters_is_not_valid(name: str, odd: str) -> None:
    applied = applied_with("annotation", PREFIX + name, f"a{odd}b", "another-password")
    assert json.loads(to_domain(applied).document)["metadata"]["annotations"][PREFIX + name] == NOT_VALID


@pytest.mark.parametrize(
    "name",
    [
        "a" * 257,
        "a\u202eb",
        "a\x00b",
        "a\nb",
        "ghp_" + "a" * 36,
        "glpat-" + "a" * 20,
        "eyJhbGciOiJIUzI1NiJ9.e30.",
    ],
)
def test_a_user_name_that_is_none(name: str) -> None:
    assert to_domain(resource({"username": name}, {})).username == NOT_VALID


@pytest.mark.parametrize(
    "name", ["robot$team+ci", "<token>", "_json_key", "AWS", "王", "a@b.example", "a/b", "u" * 256]
)
def test_a_user_name_that_is_one(name: str) -> None:
    assert to_domain(resource({"username": name}, {})).username == name
