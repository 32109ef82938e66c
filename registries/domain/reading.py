"""A resource (Kubernetes JSON) as it is read: parsed, without the password and whatever contains it. Anybody may have
written it, with any text in any place.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from sys import intern
from types import MappingProxyType
from typing import Any

from registries.addresses import AddressError, may_hold_password, parse_address
from registries.domain.moments import read_date, read_milliseconds, read_moment
from registries.domain.registry import Key, Origin, Provider, RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import (
    API_VERSION,
    COPIED_FROM,
    COPIED_FROM_SEAL,
    COPIED_FROM_UID,
    KIND,
    LAST_APPLIED,
    OURS,
    PREFIX,
    TOKEN_EXPIRES,
    VERIFY_GENERATION,
    VERIFY_STATUS,
    Resource,
    decode_password,
    fingerprint,
    verification_annotations,
)
from registries.domain.shown import (
    NOT_VALID,
    Echoes,
    shown_annotation,
    shown_bundle,
    shown_contact,
    shown_date,
    shown_description,
    shown_display_name,
    shown_domain,
    shown_image,
    shown_message,
    shown_moment,
    shown_origin,
    shown_provider,
    shown_reason,
    shown_uid,
    shown_username,
)

_FLAGS = (PREFIX + "plain-http", PREFIX + "skip-tls-verify")
_NO_LABELS: Mapping[str, str] = MappingProxyType({})
"""Shared, as are the texts that thousands of registries have in common (intern)."""


def to_domain(resource: Resource) -> RegistrySecret:
    """Read a resource and make its document, the JSON that may be shown.

    A resource that kubectl applied may lack any annotation. A resource that a dry run answers may lack uid,
    resourceVersion and creationTimestamp.
    """
    shown = public(resource)
    metadata, spec = shown["metadata"], shown["spec"]
    notes: Mapping[str, str] = metadata["annotations"]
    _, plain_http, problem = _read_address(_applied_domain(resource))
    return RegistrySecret(
        key=Key(intern(metadata["namespace"]), metadata["name"]),
        uid=str(metadata.get("uid") or ""),
        resource_version=str(metadata.get("resourceVersion") or ""),
        created_at=_created_at(metadata),
        domain=_shown_address(spec, notes),
        username=str(spec.get("username") or ""),
        provider=Provider(shown_provider(spec.get("provider"))),
        display_name=notes.get(PREFIX + "display-name", ""),
        description=notes.get(PREFIX + "description", ""),
        owner=intern(notes.get(PREFIX + "owner", "")),
        support_contact=intern(notes.get(PREFIX + "support-contact", "")),
        expires_at=read_date(notes.get(PREFIX + "expires-at", "")),
        probe_image=notes.get(PREFIX + "probe-image", ""),
        certificate_ends=read_moment(notes.get(PREFIX + "certificate-expires", "")),
        password_changed_at=read_moment(notes.get(PREFIX + "password-set-at", "")),
        address_problem=problem,
        address_problem_at=_wrong_place(resource) if problem else 0,
        deleting=bool(metadata.get("deletionTimestamp")),
        finalizers=_finalizers(metadata),
        plain_http=plain_http or notes.get(PREFIX + "plain-http") == "true",
        ca_bundle=notes.get(PREFIX + "ca-bundle", ""),
        skip_tls_verify=notes.get(PREFIX + "skip-tls-verify") == "true",
        verification=_verification(notes),
        labels=metadata.get("labels") or _NO_LABELS,
        origin=_origin(resource, notes),
        fingerprint=_fingerprint(resource),
        generation=intern(str(resource["metadata"].get("generation") or "")),
        document=json.dumps(shown, ensure_ascii=False).encode(),
    )


def _shown_address(spec: Mapping[str, str], notes: Mapping[str, str]) -> str:
    return spec.get("domain") or notes.get(PREFIX + "domain") or ""


def as_applied(resource: Resource, registry: RegistrySecret | None = None) -> RegistrySecret:
    """The registry with its canonical address and its user name, for a pull secret. Never show it: an address that
    cannot be parsed and the user name are as they stand in the resource.

    `registry` is `to_domain(resource)`, where the caller has it.
    """
    domain, _, _ = _read_address(_applied_domain(resource))
    registry = registry or to_domain(resource)
    username = str((resource.get("spec") or {}).get("username") or "")
    return replace(registry, domain=domain, username=username)


def as_tested(resource: Resource) -> RegistrySecret:
    """The registry for a connection test. The verdict of an invalid address quotes a part of it, so such an address
    is replaced."""
    registry = as_applied(resource)
    try:
        parse_address(registry.domain)
    except AddressError as error:
        return replace(registry, plain_http=False, domain=NOT_VALID if error.part else registry.domain)
    return registry


def public(resource: Resource) -> Resource:
    """A copy with the known fields only, parsed, and without any text that contains the password.

    The annotations of the console are normalized, whoever wrote them: a status is always present.
    """
    stored = _stored_password(resource)
    password = decode_password(stored)
    echoes = Echoes(password, stored)

    def tells(name: str, value: object) -> bool:
        named_alike = name == "username" and value == password
        return name not in _ENUMERATED and not named_alike and echoes.within(value)

    metadata = _bounded({k: v for k, v in resource["metadata"].items() if k in _METADATA})
    owners = (it for owner in metadata.get("ownerReferences") or [] for it in owner.values())
    if echoes.within(*(metadata.get("finalizers") or []), *owners):
        metadata = {k: v for k, v in metadata.items() if k not in ("finalizers", "ownerReferences")}
    if metadata.get("labels"):
        metadata["labels"] = echoes.without(metadata["labels"])
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED}
    theirs = echoes.without({k: v for k, v in notes.items() if k not in OURS})
    generation = str(resource["metadata"].get("generation") or "")
    ours = _as_read({k: v for k, v in notes.items() if k in OURS}, generation)
    metadata["annotations"] = {
        **{k: shown_annotation(v) if k.startswith(PREFIX) else v for k, v in theirs.items()},
        **{k: v for k, v in ours.items() if not tells(k.removeprefix(PREFIX), v)},
    }
    spec = resource.get("spec") or {}
    shown = {name: read(spec[name]) for name, read in _SHOWN.items() if spec.get(name) is not None}
    shown = {name: NOT_VALID if tells(name, value) else value for name, value in shown.items()}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": shown}


def _bounded(metadata: dict[str, Any]) -> dict[str, Any]:
    """Without the labels, finalizers and owners beyond MOST_TEXT characters of each: an API server takes over a
    megabyte of them, which every event would search for the password and keep in memory."""
    bounded: dict[str, Any] = {name: _first(metadata[name]) for name in _LISTS if metadata.get(name)}
    if metadata.get("labels"):
        bounded["labels"] = dict(_first(metadata["labels"].items()))
    return {**metadata, **bounded}


def _first(items: Iterable[Any]) -> list[Any]:
    """The first items, as long as their text is not longer than MOST_TEXT. The others are not looked at."""
    first, size = [], 0
    for item in items:
        if (size := size + len(str(item))) > MOST_TEXT:
            break
        first.append(item)
    return first


def _as_read(notes: Mapping[str, str], generation: str) -> dict[str, str]:
    """Annotations of the console, parsed, without flags that are not "true" and invalid verdicts. A verdict on another
    generation is invalid: it is that of the password before, which a client changed."""
    read: dict[str, str | None] = {name: it(notes[name]) for name, it in _NOTES.items() if name in notes}
    read |= {name: "true" if notes.get(name) == "true" else None for name in _FLAGS}
    tested = notes.get(VERIFY_GENERATION, generation)
    current = not generation or tested == generation
    read |= verification_annotations(_verification(notes) if current else Verification())
    return {name: value for name, value in read.items() if value is not None}


def password_of(resource: Resource) -> str:
    """The password of a resource that was read with it; "" without one."""
    return decode_password(_stored_password(resource))


def _stored_password(resource: Resource) -> str:
    return str((resource.get("spec") or {}).get("password") or "")


def _created_at(metadata: Mapping[str, Any]) -> datetime:
    stamp = metadata.get("creationTimestamp")
    return datetime.fromisoformat(stamp) if stamp else datetime.now(UTC)


def _read_address(applied: str) -> tuple[str, bool, str]:
    """The canonical address, whether it is plain HTTP, and "". If it cannot be parsed: the text, False, the problem."""
    try:
        address = parse_address(applied)
    except AddressError as error:
        return applied.strip(), False, error.problem
    return address.canonical, address.plain_http, ""


def _wrong_place(resource: Resource) -> int:
    """The place of the wrong character in an address that cannot be parsed; 0 where it may be in a password."""
    applied, stored = _applied_domain(resource), _stored_password(resource)
    try:
        parse_address(applied)
    except AddressError as error:  # one that is too long has no place, and is not searched
        if not error.place or may_hold_password(applied):
            return 0
        return 0 if Echoes(decode_password(stored), stored).within(applied) else error.place
    return 0


def _fingerprint(resource: Resource) -> bytes:
    if not (password := password_of(resource)):
        return b""
    (domain, plain_http, _), spec = _read_address(_applied_domain(resource)), resource.get("spec") or {}
    plain_http = plain_http or (resource["metadata"].get("annotations") or {}).get(_FLAGS[0]) == "true"
    return fingerprint(
        f"http://{domain}" if plain_http else domain, str(spec.get("username") or ""), password
    )


def _origin(resource: Resource, shown: Mapping[str, str]) -> Origin | None:
    """The source of a copy. Its seal is not shown."""
    seal = (resource["metadata"].get("annotations") or {}).get(COPIED_FROM_SEAL, "")
    return Origin.read(shown.get(COPIED_FROM, ""), shown.get(COPIED_FROM_UID, ""), str(seal))


def _finalizers(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """What holds a resource that is being deleted; () for any other."""
    if not metadata.get("deletionTimestamp"):
        return ()
    return tuple(shown_annotation(it) for it in metadata.get("finalizers") or ())


def _applied_domain(resource: Resource) -> str:
    notes = resource["metadata"].get("annotations") or {}
    return str((resource.get("spec") or {}).get("domain") or notes.get(PREFIX + "domain", ""))


_SHOWN = {"domain": shown_domain, "username": shown_username, "provider": shown_provider}
"""What is shown of a spec, and of the annotations that repeat it. Other fields are not shown."""
_NOTES = {PREFIX + name: read for name, read in _SHOWN.items()} | {
    PREFIX + "display-name": shown_display_name,
    PREFIX + "description": shown_description,
    PREFIX + "owner": shown_contact,
    PREFIX + "support-contact": shown_contact,
    PREFIX + "expires-at": shown_date,
    PREFIX + "probe-image": shown_image,
    PREFIX + "ca-bundle": shown_bundle,
    PREFIX + "certificate-expires": shown_moment,
    TOKEN_EXPIRES: shown_moment,
    PREFIX + "password-set-at": shown_moment,
    COPIED_FROM: shown_origin,
    COPIED_FROM_UID: shown_uid,
}
_ENUMERATED = frozenset(
    {"expires-at", "provider", "verify-status", "verify-timestamp", "plain-http", "skip-tls-verify"}
    | {"certificate-expires", "token-expires", "password-set-at"}
)
"""Values that cannot hold a password, whatever the password is."""
MOST_TEXT = 16 * 1024
"""Characters of all labels of a resource, of its finalizers and of its owners that are read. Real ones have less."""
_LISTS = ("finalizers", "ownerReferences")
_METADATA = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"}
    | {"deletionGracePeriodSeconds", "finalizers", "ownerReferences", "labels", "annotations"}
)
"""Not the generation: an API server counts a new password only if it is another one, also in a dry run."""


def _verification(notes: Mapping[str, str]) -> Verification:
    try:
        status = VerifyStatus(notes.get(VERIFY_STATUS, ""))
    except ValueError:
        status = VerifyStatus.UNTESTED
    if status is VerifyStatus.UNTESTED:
        return Verification()
    return Verification(
        status=status,
        reason=intern(shown_reason(notes.get(PREFIX + "verify-reason", ""))),
        message=intern(shown_message(notes.get(PREFIX + "verify-message", ""))),
        at=read_milliseconds(notes.get(PREFIX + "verify-timestamp", "")),
        token_ends=read_moment(notes.get(TOKEN_EXPIRES, "")),
    )
