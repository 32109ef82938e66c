"""What of a resource comes back after a deletion, and the patches of a new password and of an edit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from registries.domain.registry import Draft, RegistrySecret, Verification, moment_text
from registries.domain.resource import (
    API_VERSION,
    KIND,
    LAST_APPLIED,
    PREFIX,
    Resource,
    own_annotations,
    verification_annotations,
)

_RESULTS = frozenset(
    PREFIX + name
    for name in (
        "verify-status",
        "verify-reason",
        "verify-message",
        "verify-timestamp",
        "certificate-expires",
    )
)


def reviving(resource: Resource) -> Resource:
    """The resource to create again after a deletion: name, labels, annotations and spec, with the password.

    What belonged to the old object is left out: uid, versions, owners, finalizers, and the copy that `kubectl apply`
    keeps, which may hold an older password.
    """
    metadata = resource["metadata"]
    kept = {name: metadata[name] for name in ("name", "namespace", "labels") if metadata.get(name)}
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED}
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


def password_annotations(at: datetime, verdict: Verification | None = None) -> dict[str, str | None]:
    """The part of the merge patch of a new password with its time, and without the verdict of the old one. `verdict`
    is that of the new one, if there is one."""
    return {
        **verification_annotations(verdict or Verification()),
        PREFIX + "password-set-at": moment_text(at),
    }


def information_annotations(texts: Mapping[str, str]) -> dict[str, str | None]:
    """The merge patch of an edit of fields of INFORMATION. None removes an annotation."""
    return {PREFIX + name.replace("_", "-"): text or None for name, text in texts.items()}
