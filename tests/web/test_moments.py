"""Moments that some time zones do not have: a certificate without an end names one, and kubectl writes any."""

import html

import pytest
from django.utils import timezone

from registries.wiring import services
from tests.cast import Cast

LAST = {
    "verify-timestamp": "253402300799999",
    "certificate-expires": "9999-12-31T23:59:59Z",
    "password-set-at": "9999-12-31T23:59:59Z",
}
FIRST = {
    "verify-timestamp": "0",
    "certificate-expires": "0001-01-01T00:00:00Z",
    "password-set-at": "0001-01-01T00:00:00Z",
}
PAGES = (
    "/registries/",
    "/overview/",
    "/registries/team-a/harbor-prod/",
    "/registries/team-a/harbor-prod/status/",
)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Los_Angeles"])
@pytest.mark.parametrize("notes", [LAST, FIRST], ids=["last", "first"])
def test_the_ends_of_time_break_no_page(cast: Cast, notes: dict[str, str], zone: str) -> None:
    registry = cast.add()
    written = {f"theriseunion.io/{name}": text for name, text in {"verify-status": "failed", **notes}.items()}
    services().store.annotate(registry.key, written, uid=registry.uid)

    with timezone.override(zone):
        for page in PAGES:
            response = cast.client("nina").get(page)
            assert response.status_code == 200, page
    text = html.unescape(cast.client("nina").get(PAGES[2]).content.decode())
    assert ("9999-12-" in text) is (notes is LAST)
