"""Pulls that a registry counts, as Docker Hub does: a test spends none, and says how many are left."""

import pytest

from registries.probe.image import PullQuota
from registries.probe.reason import ImageReason
from tests.peers.images import Image
from tests.peers.scripted import Reply, json_reply
from tests.probe.one_image import INDEX, ONE, PASSWORD, Registry, image_of, look

HUB = [("ratelimit-limit", "200;w=21600"), ("ratelimit-remaining", "176;w=21600")]


@pytest.mark.parametrize("image", [INDEX, ONE], ids=["index", "single"])
def test_pulls_that_are_counted_are_not_spent(image: Image) -> None:
    result, server = look(Registry(image, headers=HUB))

    found = image_of(result)
    assert (found.reason, found.note) == (ImageReason.PULLABLE, "pulls_counted")
    assert found.quota == PullQuota(176, 200, 21_600)
    assert [it.method for it in server.requests if "/manifests/" in it.target] == ["HEAD"]


def test_a_missing_tag_costs_no_pull() -> None:
    changed = {"HEAD manifests/1": Reply(404, HUB), "tags/list": json_reply({"tags": []})}
    result, server = look(Registry(INDEX, changed))  # type: ignore[arg-type]

    assert image_of(result).reason is ImageReason.TAG_MISSING
    assert not [it for it in server.requests if it.method == "GET" and "/manifests/" in it.target]


def test_no_pulls_left() -> None:
    result, _ = look(
        Registry(ONE, headers=[("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "0;w=21600")])
    )

    assert image_of(result).reason is ImageReason.RATE_LIMITED


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 30, "1e5", f"{PASSWORD};w=1", "١٢"])
def test_a_quota_that_is_none(text: str) -> None:
    headers = [("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", text.encode().decode("latin-1"))]
    result, _ = look(Registry(ONE, headers=headers))

    assert image_of(result).quota is None
    assert image_of(result).platforms
