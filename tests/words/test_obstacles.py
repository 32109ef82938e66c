"""Why a registry cannot be used: whole in its card, the first half in a row of the list."""

from typing import Any

import pytest
from django.utils.translation import override

from registries.domain.reading import to_domain
from registries.words import labels


def held(**metadata: Any) -> dict[str, Any]:
    return {"name": "odd", "namespace": "team-a", "resourceVersion": "1", "uid": "u"} | metadata


@pytest.mark.parametrize(
    ("metadata", "domain", "short"),
    [
        ({}, "harbor.example.com :8443", "The address contains white space"),
        (
            {"deletionTimestamp": "2026-12-01T05:47:00Z", "finalizers": ["example.com/a", "example.com/b"]},
            "harbor.example.com",
            "Waiting for 2 finalizers",
        ),
    ],
)
def test_a_row_says_why_and_the_card_what_to_do(metadata: dict[str, Any], domain: str, short: str) -> None:
    registry = to_domain({"metadata": held(**metadata), "spec": {"domain": domain}})

    with override("en"):
        assert labels.short_obstacle(registry) == short
        assert len(labels.obstacle(registry)) > 2 * len(short)
        assert labels.status(registry).kind == "warn", "red is for failed tests"
