"""The list and the overview tell of a probe image that nodes cannot pull, beside the good status of the credential."""

import re

import pytest

from registries.domain.errors import Problem
from registries.models import VerificationRecord
from registries.probe.image import ImageResult, node_platforms
from registries.probe.reason import ImageReason, Reason
from registries.probe.result import Result
from registries.verification.history import NotTested, to_json
from registries.web.lists import probe_images
from tests.cast import Cast
from tests.web.overview_pages import page, part
from tests.web.test_queries import queries
from tests.web.test_verdicts import with_tests

IMAGE = "harbor.example.com/team/app:1.0"
DENIED = ImageResult(IMAGE, ImageReason.DENIED)
NODES = {"linux/amd64": 3, "linux/arm64": 1}
PARTLY = ImageResult(IMAGE, ImageReason.PLATFORM_MISSING, nodes=node_platforms(NODES, ["linux/amd64"]))
NO_ARM = "Probe image lacks a platform"
NOT_PULLED = "Probe image cannot be pulled"
ANSWERS = {
    ImageReason.DENIED: NOT_PULLED,
    ImageReason.TAG_MISSING: NOT_PULLED,
    ImageReason.STORAGE_UNREACHABLE: NOT_PULLED,
    ImageReason.FAILED: "Probe image not checked",
    ImageReason.PULLABLE: "",
}


def stored(cast: Cast, *results: Result, name: str = "harbor-prod", image: str = IMAGE) -> None:
    with_tests(cast, name, *results, provider="harbor", domain="harbor.example.com", probe_image=image)


def status(cast: Cast, path: str = "/registries/", language: str = "en") -> str:
    """The cell of a registry's status."""
    client = cast.client("vic")
    client.cookies["django_language"] = language
    found = re.search(r'<td role="cell" class="c-status".*?</td>', client.get(path).content.decode())
    assert found
    return found[0]


@pytest.mark.parametrize(("reason", "text"), ANSWERS.items())
def test_the_list_says_that_nodes_cannot_pull_it(cast: Cast, reason: ImageReason, text: str) -> None:
    stored(cast, Result(Reason.OK, image=ImageResult(IMAGE, reason)))

    for path in ("/registries/", "/registries/team-a/harbor-prod/row/"):
        cell = status(cast, path)
        assert "pill-ok" in cell, "the credential works"
        assert ("text-warn" in cell) is bool(text)
        assert cell.count(text or "why-reason") == (2 if text else 0), "as a text and in the title"


def test_an_image_without_the_platform_of_some_nodes_is_told(cast: Cast) -> None:
    stored(cast, Result(Reason.OK, image=PARTLY))

    assert NO_ARM in status(cast)
    assert "探测镜像缺少架构" in status(cast, language="zh-hans")
    card = cast.client("vic").get("/registries/team-a/harbor-prod/status/").content.decode()
    assert "image-answer verdict-warn" in card


def test_only_the_newest_verdict_tells_of_it(cast: Cast) -> None:
    stored(cast, Result(Reason.OK, image=DENIED), Result(Reason.OK))
    assert "text-warn" not in status(cast)


def test_a_test_without_a_verdict_hides_nothing(cast: Cast) -> None:
    stored(cast, Result(Reason.OK, image=DENIED), Result(Reason.OK, image=DENIED))
    newest = VerificationRecord.objects.latest("started_at")
    VerificationRecord.objects.filter(pk=newest.pk).update(outcome=to_json(NotTested(Problem.INTERRUPTED)))
    assert NOT_PULLED in status(cast)


@pytest.mark.parametrize("image", ["", "harbor.example.com/team/other:1"])
def test_another_image_that_somebody_tested_is_no_matter_of_the_list(cast: Cast, image: str) -> None:
    stored(cast, Result(Reason.OK, image=DENIED), image=image)
    assert "text-warn" not in status(cast)


def test_a_failure_keeps_its_own_reason(cast: Cast) -> None:
    stored(cast, Result(Reason.PROBE_IMAGE_DENIED, image=DENIED))
    assert "text-warn" not in status(cast)


def test_it_takes_one_query_a_minute_however_many_there_are(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.add("a")
    before = queries(cast, "/registries/")
    for number in range(3):
        stored(cast, *[Result(Reason.OK, image=DENIED)] * 3, name=f"b{number}")

    assert queries(cast, "/registries/") == before

    monkeypatch.setattr(probe_images, "KEPT_FOR", 0.0)
    assert queries(cast, "/registries/") == before + 1


def test_the_overview_does_not_say_that_all_is_well(cast: Cast) -> None:
    stored(cast, Result(Reason.OK, image=ImageResult(IMAGE, ImageReason.PULLABLE)))
    assert "The registry works." in page(cast)
    assert "probe image" not in page(cast)

    for name in "abcdefg":
        stored(cast, Result(Reason.OK, image=DENIED), name=name)

    shown = page(cast, "vic")
    assert "No registry fails." in part(shown, "calm")
    checklist = part(shown, "checklist")
    assert "Problem with the probe image" in checklist
    assert [f'href="/registries/team-a/{it}/"' in checklist for it in "abcdefg"] == [True] * 6 + [False]
    assert re.search(r"<span>\s*1 more\s*</span>", checklist)
