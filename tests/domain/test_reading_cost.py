"""What somebody can apply with kubectl costs the reader little: an API server takes more than a megabyte of metadata,
and every event of the resource is read in the process that serves everybody."""

import time
from typing import Any

import pytest

from registries.domain.reading import to_domain
from registries.domain.resource import PREFIX

MUCH = 1_200_000
"""Characters of metadata that an API server takes."""
LONG = 250_000
"""Characters of one annotation that an API server takes."""
NOTES = (
    *(
        "domain",
        "username",
        "provider",
        "display-name",
        "description",
        "owner",
        "support-contact",
        "expires-at",
    ),
    *("probe-image", "ca-bundle", "certificate-expires", "token-expires", "password-set-at"),
    *("copied-from", "copied-from-uid"),
    *("verify-message", "verify-reason", "verify-timestamp", "unknown"),
)
TEXTS = (
    "x",
    "a.",
    "ü",
    "٠.",
    "a:",
    "a/",
    " ",
    "password=",
    "1",
    "a-",
    "密",
    "-----BEGIN CERTIFICATE-----\nAAAA",
)


def applied(notes: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    known = {"name": "n", "namespace": "team-b", "uid": "u", "resourceVersion": "1"}
    spec = {"username": "u", "password": "c2VjcmV0LXNlY3JldA==", "provider": "other"}
    return {"metadata": {**known, "annotations": notes or {}, **metadata}, "spec": spec}


def is_cheap(resource: dict[str, Any]) -> bool:
    """Whether it is read in 20 ms of the processor; a busy machine gets three tries."""

    def spent() -> float:
        began = time.thread_time()
        to_domain(resource)
        return time.thread_time() - began

    return any(spent() < 0.02 for _ in range(3))


@pytest.mark.parametrize("name", NOTES)
def test_a_long_annotation(name: str) -> None:
    for text in TEXTS:
        long = (text * (LONG // len(text)))[:LONG]
        notes = {PREFIX + name: long, PREFIX + "verify-status": "failed"}

        assert is_cheap(applied(notes)), text


FLOODS = [
    {"labels": {f"a{place:07}/{'x' * 50}": "y" * 60 for place in range(MUCH // 120)}},
    {"finalizers": [f"example.com/{place:050}" for place in range(MUCH // 62)]},
    {"ownerReferences": [{"kind": "x" * 1000, "uid": f"{place}"} for place in range(MUCH // 1000)]},
]


@pytest.mark.parametrize("flood", FLOODS, ids=lambda it: next(iter(it)))
def test_a_megabyte_of_metadata(flood: dict[str, Any]) -> None:
    resource = applied(**flood, deletionTimestamp="2026-01-01T00:00:00Z")

    assert is_cheap(resource)
    assert len(to_domain(resource).document) < 32_768


def test_metadata_as_people_write_it_stays() -> None:
    labels = {f"label-{place}": "x" * 63 for place in range(100)}
    owners = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": str(place)} for place in range(50)
    ]
    resource = applied(labels=labels, ownerReferences=owners, finalizers=["example.com/one"])

    assert to_domain(resource).labels == labels
    assert b'"uid": "49"' in to_domain(resource).document
    assert b"example.com/one" in to_domain(resource).document
