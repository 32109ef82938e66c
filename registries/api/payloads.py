"""Parses bodies: a resource to create, a patch, values to test. A value of the wrong type is a cause."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from registries.api.status import FIELDS, InvalidValues, bad_request
from registries.domain.errors import FIELD_MAX, Cause, Causes, Conflict, Invalid, Problem, shortened
from registries.domain.metadata import ANNOTATIONS, LABELS, metadata_causes
from registries.domain.registry import INFORMATION, Credential, Draft, RegistrySecret
from registries.domain.resource import API_VERSION, KIND, PREFIX, own_annotations
from registries.intake import BUNDLE_MAX, TESTED, BundleError, Tls, read_bundle, read_draft

_PRECONDITIONS = ("name", "namespace", "uid", "resourceVersion")
_CONTAINERS = {"", "metadata", "metadata.annotations"}


def read_resource(body: Mapping[str, Any], namespace: str) -> Draft:
    """The Draft of a RegistrySecret. ApiError 400 for a wrong kind or namespace; Invalid with every cause."""
    _require_kind(body)
    causes = Causes()
    metadata, spec = _section(body, "metadata", "metadata", causes), _section(body, "spec", "spec", causes)
    notes = _section(metadata, "annotations", ANNOTATIONS, causes)
    given = _text(metadata, "namespace", "namespace", causes)
    if given and given != namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    values = {"name": _text(metadata, "name", "name", causes), "namespace": namespace}
    for name in ("domain", "username", "password", "provider"):
        values[name] = _text(spec, name, name, causes)
    for name in INFORMATION:
        values[name] = _text(notes, PREFIX + name.replace("_", "-"), name, causes)
    values |= _trust(notes, causes)
    if values["name"] != values["name"].strip():
        causes.add(Cause("name", Problem.CHARACTERS))
    if notes.get(PREFIX + "plain-http") == "true" and values["domain"] and "://" not in values["domain"]:
        values["domain"] = f"http://{values['domain']}"
    labels, annotations = _section(metadata, "labels", LABELS, causes), own_annotations(notes)
    causes.include(metadata_causes(labels, annotations, values["password"], values["ca_bundle"]))
    return replace(_draft(values, causes), labels=labels, annotations=annotations)


def _trust(notes: Mapping[str, Any], causes: Causes) -> dict[str, str]:
    """The certificate fields of the add form, from the two core annotations."""
    bundle = _text(notes, PREFIX + "ca-bundle", "ca_bundle", causes)
    skip = _text(notes, PREFIX + "skip-tls-verify", "tls", causes) == "true"
    return {"tls": Tls.SKIP if skip else Tls.CA if bundle else Tls.SYSTEM, "ca_bundle": bundle}


def _draft(values: Mapping[str, str], causes: Causes) -> Draft:
    """The Draft. Raises Invalid with `causes` and those of the draft, one per field."""
    try:
        draft = read_draft(values)
    except Invalid as error:
        known = {cause.field for cause in causes}
        causes.add(*(cause for cause in error.causes if cause.field not in known))
    if causes:
        raise Invalid(values["name"], causes)
    return draft


@dataclass(frozen=True, slots=True)
class Patch:
    """An edit: preconditions by their name in metadata, and new texts; None removes a text."""

    preconditions: Mapping[str, str]
    texts: Mapping[str, str | None]

    def require(self, registry: RegistrySecret) -> None:
        """Raises Conflict if a precondition does not match the registry."""
        actual = {
            "name": registry.name,
            "namespace": registry.namespace,
            "uid": registry.uid,
            "resourceVersion": registry.resource_version,
        }
        for name, value in self.preconditions.items():
            if actual[name] != value:
                raise Conflict(
                    registry.name, Problem.CHANGED if name == "resourceVersion" else Problem.RECREATED
                )

    @property
    def information(self) -> dict[str, str]:
        """The changed fields; "" removes one."""
        return {name: text or "" for name, text in self.texts.items()}


def read_patch(body: Mapping[str, Any], registry: RegistrySecret) -> Patch:
    """Reads a merge patch (RFC 7396). It may repeat unchanged values of the registry.

    Conflict if a precondition fails. Invalid lists every field that must not change.
    """
    _require_kind(body)
    known = {
        place: value for place, value in _leaves(json.loads(registry.document)) if len(place) <= FIELD_MAX
    }
    editable = {FIELDS[name]: name for name in INFORMATION}
    preconditions: dict[str, str] = {}
    texts: dict[str, str | None] = {}
    causes = Causes()
    for place, value in _leaves(
        {name: it for name, it in body.items() if name not in ("apiVersion", "kind")}
    ):
        name = place.removeprefix("metadata.")
        if place in editable:
            if value is None or isinstance(value, str):
                texts[editable[place]] = value
            else:
                causes.add(Cause(place, Problem.WRONG_TYPE))
        elif place.startswith("metadata.") and name in _PRECONDITIONS:
            if isinstance(value, str):
                preconditions[name] = value
            elif value is not None:
                causes.add(Cause(place, Problem.WRONG_TYPE))
        elif (place not in _CONTAINERS or value != {}) and (place not in known or known[place] != value):
            causes.add(Cause(place, Problem.IMMUTABLE))
    patch = Patch(preconditions, texts)
    patch.require(registry)
    if causes:
        raise Invalid("", causes)
    return patch


def read_credential(body: Mapping[str, Any]) -> Credential | None:
    """The values to test, or None for the stored ones: nothing but an `image`. Invalid if one of the three is missing.

    A malformed address is a verdict of the test. `caBundle` (PEM) and `skipTlsVerify` are optional.
    """
    if not body.keys() - {"image"}:
        return None
    causes = Causes()
    values = {name: _text(body, name, name, causes) for name in TESTED}
    known = {cause.field for cause in causes}
    causes.add(*(Cause(it, Problem.REQUIRED) for it in TESTED if not values[it].strip() and it not in known))
    bundle, skip = _text(body, "caBundle", "caBundle", causes), body.get("skipTlsVerify") or False
    if not isinstance(skip, bool):
        causes.add(Cause("skipTlsVerify", Problem.BOOLEAN))
    try:
        bundle = read_bundle(bundle)[0] if bundle else ""
    except BundleError as error:
        causes.add(Cause("caBundle", error.problem, BUNDLE_MAX))
    if causes:
        raise InvalidValues("", causes)
    return Credential(
        values["domain"].strip(), values["username"].strip(), values["password"], bundle, bool(skip)
    )


def read_image(body: Mapping[str, Any]) -> str:
    """The image to test, "" for none. Invalid for another type."""
    causes = Causes()
    image = _text(body, "image", "image", causes).strip()
    if causes:
        raise InvalidValues("", causes)
    return image


@dataclass(frozen=True, slots=True)
class NewPassword:
    """`test`: whether it must connect before it is stored. `preconditions` are `uid` and `resourceVersion`."""

    password: str = field(repr=False)
    test: bool
    preconditions: Mapping[str, str]

    def require(self, registry: RegistrySecret) -> None:
        """Raises Conflict if a precondition does not match the registry."""
        Patch(self.preconditions, {}).require(registry)


def read_new_password(body: Mapping[str, Any]) -> NewPassword:
    """The body of a new password. Invalid without a password, and for wrong types."""
    causes = Causes()
    values = {name: _text(body, name, name, causes) for name in ("password", "uid", "resourceVersion")}
    password, test = values.pop("password"), body.get("test") or False
    if not password and not causes:
        causes.add(Cause("password", Problem.REQUIRED))
    if not isinstance(test, bool):
        causes.add(Cause("test", Problem.BOOLEAN))
    if causes:
        raise InvalidValues("", causes)
    return NewPassword(password, bool(test), {name: it for name, it in values.items() if it})


def _require_kind(body: Mapping[str, Any]) -> None:
    for name, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        if body.get(name, expected) != expected:
            raise bad_request(f"{name} in the data does not match the expected {name}: {expected}")


def _section(body: Mapping[str, Any], name: str, place: str, causes: Causes) -> Mapping[str, Any]:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        causes.add(Cause(place, Problem.OBJECT))
    return value if isinstance(value, dict) else {}


def _text(section: Mapping[str, Any], name: str, field: str, causes: Causes) -> str:
    value = section.get(name)
    if value is not None and not isinstance(value, str):
        causes.add(Cause(field, Problem.WRONG_TYPE))
    return value if isinstance(value, str) else ""


def _leaves(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every value in a patch with its path; an object is one itself when it is empty.

    A path is cut after FIELD_MAX characters: a long name can stand above thousands of values. No recursion: with
    one generator per level, each value of a deep object would cost one step per level.
    """
    open_objects = [("", iter(body.items()))]
    while open_objects:
        above, entries = open_objects[-1]
        for name, value in entries:
            place = _below(above, name)
            if isinstance(value, dict) and value:
                open_objects.append((place, iter(value.items())))
                break
            yield place, value
        else:
            open_objects.pop()


def _below(above: str, name: str) -> str:
    if len(above) > FIELD_MAX:
        return above
    if above == ANNOTATIONS:
        return shortened(f"{above}[{name}]")
    return shortened(f"{above}.{name}" if above else name)
