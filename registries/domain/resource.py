"""A resource (Kubernetes JSON) as the console writes it: a new one, the patches of its annotations, what comes back
after a deletion; and the password in it, as base64 as Kubernetes and Go read it.

The shapes are those of registry-management.zh.md, 数据结构, and api.md. The digest of a password stands for a
credential. Its key is random and exists only in the memory of this process: a digest is worth nothing anywhere else. It
is never stored, shown, sent or logged, since whoever reads two of them knows whether two passwords are equal.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from secrets import token_bytes
from typing import Any, cast

from registries.domain.moments import moment_text
from registries.domain.registry import (
    INFORMATION,
    Draft,
    Key,
    Origin,
    RegistrySecret,
    Verification,
    VerifyStatus,
)
from registries.domain.writer import LAST_APPLIED as LAST_APPLIED

API_GROUP = "image.theriseunion.io"
API_VERSION = f"{API_GROUP}/v1alpha1"
API_ROOT = "/oapis"
"""The path of the console's own API."""
KIND = "RegistrySecret"
PREFIX = "theriseunion.io/"
VERIFY_STATUS = f"{PREFIX}verify-status"
VERIFY_GENERATION = f"{PREFIX}verify-generation"
"""The generation of the specification that was tested. A verdict on another one is none: the password is another."""
TOKEN_EXPIRES = f"{PREFIX}token-expires"
COPIED_FROM = f"{PREFIX}copied-from"
COPIED_FROM_UID = f"{PREFIX}copied-from-uid"
COPIED_FROM_SEAL = f"{PREFIX}copied-from-seal"
NEW_GENERATION = "1"
"""The API server gives it to each new resource."""
_RESULTS = frozenset(
    PREFIX + name
    for name in (
        "verify-status",
        "verify-reason",
        "verify-message",
        "verify-timestamp",
        "verify-generation",
        "certificate-expires",
        "token-expires",
    )
)
OURS = (
    _RESULTS
    | frozenset(
        PREFIX + name
        for name in (
            *("display-name", "description", "owner", "support-contact", "expires-at", "probe-image"),
            *("domain", "username", "provider", "password-set-at"),
            *("plain-http", "ca-bundle", "skip-tls-verify"),
        )
    )
    | {COPIED_FROM, COPIED_FROM_UID, COPIED_FROM_SEAL}
)
"""The annotations that only the console writes."""
Resource = dict[str, Any]
_KEY = token_bytes(32)
_SIZE = 16


def new_resource(draft: Draft) -> Resource:
    """The resource to create: untested, with the password as base64 and the core settings repeated as annotations."""
    annotations = {
        **{name.replace("_", "-"): getattr(draft, name) for name in INFORMATION},
        "domain": draft.domain,
        "username": draft.username,
        "provider": draft.provider.value,
    }
    if draft.plain_http:
        annotations["plain-http"] = "true"
    if draft.skip_tls_verify:
        annotations["skip-tls-verify"] = "true"
    annotations["ca-bundle"] = draft.ca_bundle
    annotations["password-set-at"] = moment_text(draft.password_set_at) if draft.password_set_at else ""
    verdict = verification_annotations(draft.verification, NEW_GENERATION)
    verdict |= certificate_annotations(draft.certificate_ends)
    ours = {PREFIX + name: value for name, value in annotations.items()} | verdict
    ours |= origin_annotations(draft.origin) if draft.origin else {}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": draft.key.name,
            "namespace": draft.key.namespace,
            **({"labels": dict(draft.labels)} if draft.labels else {}),
            "annotations": own_annotations(draft.annotations) | {name: it for name, it in ours.items() if it},
        },
        "spec": {
            "domain": draft.domain,
            "username": draft.username,
            "password": encode_password(draft.password),
            "provider": draft.provider.value,
        },
    }


def origin_annotations(origin: Origin) -> dict[str, str | None]:
    """The merge patch of the annotations that name the source of a copy."""
    values = {COPIED_FROM: str(origin.key), COPIED_FROM_UID: origin.uid, COPIED_FROM_SEAL: origin.seal}
    return {name: value or None for name, value in values.items()}


def own_annotations(annotations: Mapping[str, Any]) -> dict[str, Any]:
    """A client's annotations without those that only the console may write, such as a verdict.

    The copy of the whole resource that `kubectl apply` adds is dropped as well: it contains the password.
    """
    return {
        name: value
        for name, value in annotations.items()
        if name not in OURS and not name.startswith(PREFIX + "verify-") and name != LAST_APPLIED
    }


def verification_annotations(verification: Verification, generation: str = "") -> dict[str, str | None]:
    """The merge patch that records a verdict: status, reason code, message and time, the generation of the
    specification that was tested, if it is known, and the end of a token. None removes an annotation."""
    at = verification.at
    return {
        VERIFY_STATUS: verification.status.value,
        PREFIX + "verify-reason": verification.reason or None,
        PREFIX + "verify-message": verification.message or None,
        PREFIX + "verify-timestamp": str(milliseconds(at)) if at else None,
        VERIFY_GENERATION: (generation or None) if verification.status is not VerifyStatus.UNTESTED else None,
        TOKEN_EXPIRES: moment_text(verification.token_ends) if verification.token_ends else None,
    }


def void_verdict(resource: Resource) -> dict[str, Any] | None:
    """The metadata of a merge patch that removes a verdict on another generation of the specification. None without
    such a verdict. The patch is refused for a resource that was changed meanwhile."""
    metadata = resource["metadata"]
    notes = metadata.get("annotations") or {}
    tested = notes.get(VERIFY_GENERATION)
    if not tested or tested == str(metadata.get("generation", "")):
        return None
    known = {name: metadata[name] for name in ("uid", "resourceVersion")}
    return {**known, "annotations": verification_annotations(Verification())}


def certificate_annotations(ends: datetime | None) -> dict[str, str | None]:
    """The part of the same patch with the end of the certificate. Without a handshake, the stored one stays."""
    return {PREFIX + "certificate-expires": moment_text(ends)} if ends else {}


def milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch."""
    return round(moment.timestamp() * 1000)


def key_of(resource: Resource) -> Key:
    return Key(resource["metadata"]["namespace"], resource["metadata"]["name"])


def reviving(resource: Resource) -> Resource:
    """The resource to create again after a deletion: name, labels, annotations and spec, with the password.

    What belonged to the old object is left out: uid, versions, owners, finalizers, and the copy that `kubectl apply`
    keeps, which may hold an older password. A verdict on this specification stays one.
    """
    metadata = resource["metadata"]
    kept = {name: metadata[name] for name in ("name", "namespace", "labels") if metadata.get(name)}
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED}
    if VERIFY_GENERATION in notes:
        current = notes[VERIFY_GENERATION] == str(metadata.get("generation", ""))
        notes[VERIFY_GENERATION] = NEW_GENERATION if current else "0"
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {**kept, "annotations": notes},
        "spec": dict(resource.get("spec") or {}),
    }


def same_but_tested(one: Resource, other: Resource) -> bool:
    """Whether two results of `reviving` are equal, apart from the results of tests."""

    def untested(resource: Resource) -> Resource:
        metadata = dict(resource["metadata"])
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k not in _RESULTS}
        return {**resource, "metadata": metadata}

    return untested(one) == untested(other)


def draft_of(resource: Resource, registry: RegistrySecret, password: str) -> Draft:
    """What creates this registry again, without its verdict. The address stays as it was typed.

    `registry` is `to_domain(resource)`.
    """
    metadata, spec = resource["metadata"], resource["spec"]
    notes, texts = metadata.get("annotations") or {}, cast(dict[str, Any], registry.information)
    return Draft(
        key=registry.key,
        domain=str(spec.get("domain") or ""),
        username=str(spec.get("username") or ""),
        provider=registry.provider,
        password=password,
        **texts,
        plain_http=notes.get(PREFIX + "plain-http") == "true",
        ca_bundle=registry.ca_bundle,
        skip_tls_verify=registry.skip_tls_verify,
        labels=dict(metadata.get("labels") or {}),
        annotations=own_annotations(notes),
        password_set_at=registry.password_set_at,
        origin=registry.origin,
    )


def password_annotations(
    at: datetime, verdict: Verification | None, generation: str = ""
) -> dict[str, str | None]:
    """The part of the merge patch of a new password with its time, and without the verdict of the old one. `verdict`
    is that of the new one, if there is one, and `generation` that of the new specification, if it is known."""
    return {
        **verification_annotations(verdict or Verification(), generation),
        PREFIX + "password-set-at": moment_text(at),
    }


def information_annotations(texts: Mapping[str, str]) -> dict[str, str | None]:
    """The merge patch of an edit of fields of INFORMATION. None removes an annotation."""
    return {PREFIX + name.replace("_", "-"): text or None for name, text in texts.items()}


def number_of(version: str) -> int | None:
    """A resource version as a number. Kubernetes calls them opaque, but every API server that serves custom resources
    takes them from the revision of etcd, which only grows, over all objects. client-go and the cache of the API server
    rely on this, too. One that is not a number is always taken as newer."""
    return int(version) if version.isascii() and version.isdigit() and len(version) < 20 else None


def newer(version: str, other: str) -> bool:
    """Whether a version is newer than another. False when one of them is not a number."""
    mine, theirs = number_of(version), number_of(other)
    return mine is not None and theirs is not None and mine > theirs


def supersedes(registry: RegistrySecret, known: RegistrySecret | None) -> bool:
    if known is None:
        return True
    mine, theirs = number_of(registry.resource_version), number_of(known.resource_version)
    return mine is None or theirs is None or mine > theirs


def decode_base64(text: str) -> bytes:
    """Standard base64 with padding; line ends do not count, as in Go's encoding/base64. ValueError for other text."""
    letters = text.replace("\r", "").replace("\n", "")
    if len(letters) % 4 or letters.endswith("==="):  # Python decodes "QUJD=" and "QUJD====" all the same
        raise ValueError("base64 without its padding, or with too much")
    return base64.b64decode(letters, validate=True)


def decode_password(stored: str) -> str:
    """Decodes canonical base64 of valid UTF-8, with or without line ends. Any other text is the password itself
    (api.md)."""
    try:
        raw = decode_base64(stored)
        if base64.b64encode(raw).decode() == stored.replace("\r", "").replace("\n", ""):
            return raw.decode()
    except ValueError:  # not base64, not ASCII, or not UTF-8 once decoded
        return stored
    return stored


def encode_password(password: str) -> str:
    return base64.b64encode(password.encode()).decode()


def fingerprint(address: str, username: str, password: str) -> bytes:
    """The digest of a canonical address, a user name and a password: 16 bytes. Trust settings do not count."""
    digest = blake2b(key=_KEY, digest_size=_SIZE)
    for value in (address, username, password):
        raw = value.encode(errors="surrogatepass")
        digest.update(len(raw).to_bytes(8))
        digest.update(raw)
    return digest.digest()


def generation_with(registry: RegistrySecret, password: str) -> str:
    """The generation that the API server gives to this registry with a password: another one if it is another."""
    new = fingerprint(registry.address, registry.username, password)
    return str(int(registry.generation) + (new != registry.fingerprint))
