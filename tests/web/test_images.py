"""测试拉取镜像: an image of a stored registry or of typed values, on the page and in the API."""

import json
import re
from datetime import timedelta

import pytest

from registries.domain.errors import Conflict, Invalid, Problem
from registries.domain.registry import Key
from registries.models import Pause, VerificationRecord
from registries.probe.image import ImageResult, PlatformSize
from registries.probe.reason import ImageReason
from registries.service.images import image_query
from registries.templatetags.console import slashed
from registries.verification.history import Result, from_json
from registries.web.lists.verdicts import image_view
from registries.wiring import services
from tests.api.test_api import TEAM_A, post
from tests.cast import Cast, Probing

PAGE = "/registries/team-a/harbor-prod/"
KEY = Key("team-a", "harbor-prod")


def host(values: dict[str, str]) -> str:
    return values["domain"].removeprefix("http://")


def ask(cast: Cast, image: str, person: str = "omar", **more: str) -> tuple[int, str]:
    client = cast.client(person, hx_request="true")
    client.cookies["django_language"] = "en"
    response = client.post(f"{PAGE}verify/?show=panel", {"image": image, **more})
    return response.status_code, response.content.decode()


def test_the_answer_stands_below_the_stages(cast: Cast, probing: Probing) -> None:
    values = probing("harbor")
    cast.add(**values)

    _, panel = ask(cast, f"{host(values)}/demo/app:1.0")

    assert "Can be pulled" in panel
    assert panel.index("stage-ok") < panel.index("image-answer") < panel.index("verdict-foot")
    assert "linux/riscv64" in panel
    assert re.search(r"94\.4 MB</span>\s*<span[^>]*>about 1 min<", panel)
    assert panel.count("10 Mbit/s") == 1
    assert cast.find().verification.reason == "ok"


def test_one_of_the_choices_wins_over_a_typed_one(cast: Cast, probing: Probing) -> None:
    values = probing("harbor")
    cast.add(**values)

    _, panel = ask(cast, "nonsense of before", chosen=f"{host(values)}/demo/app:amd64")

    assert "demo/<wbr>app<wbr>:amd64" in panel
    assert "linux/arm64" not in panel


def test_a_digest_may_begin_a_line() -> None:
    assert slashed("docker.io/demo/app@sha256:00").split("<wbr>") == [
        "docker.io/",
        "demo/",
        "app@",
        "sha256:00",
    ]
    assert slashed(Key("team-a", "harbor")) == "team-a/<wbr>harbor"


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (
            "http://reg.example.com:5000/demo/app:1.0",
            ["http://", "reg.example.com", ":5000/", "demo/", "app", ":1.0"],
        ),
        ("CN=reg.example.com,O=Registry console", ["CN=reg.example.com,", "O=Registry console"]),
    ],
)
def test_a_long_value_breaks_beside_its_signs(value: str, lines: list[str]) -> None:
    assert slashed(value).split("<wbr>") == lines


ANSWERS = {
    "demo/app:2.0": "The repository has no such tag",
    "demo/other:1.0": "The repository does not exist",
}


@pytest.mark.parametrize(("image", "says"), ANSWERS.items())
def test_a_missing_image_leaves_the_verdict_of_the_log_in(
    cast: Cast, probing: Probing, image: str, says: str
) -> None:
    values = probing("harbor")
    cast.add(**values)

    _, panel = ask(cast, f"{host(values)}/{image}")

    assert says in panel
    assert "image-answer verdict-bad" in panel
    assert cast.find().verification.reason == "ok"


def test_pulls_of_docker_hub_are_counted_and_not_spent(cast: Cast, probing: Probing) -> None:
    values = probing("dockerhub")
    cast.add(**values)

    _, panel = ask(cast, f"{host(values)}/demo/app:1.0")

    assert "176 of 200 pulls left (limit per 6 h)" in panel
    assert "would count that as a pull" in panel


WRONG = {
    "x:": "not a valid image reference",
    "UPPER/case": "not a valid image reference",
    "a b": "not a valid image reference",
    "../../etc:1": "not a valid image reference",
    "demo/app:1.0": "Begin with harbor.example.com/",
    "docker.io/library/nginx": "Begin with harbor.example.com/",
    "harbor.example.com.evil.example/demo/app": "Begin with harbor.example.com/",
    "harbor.example.com:8443/demo/app": "Begin with harbor.example.com/",
    "169.254.169.254/latest/meta-data": "Begin with harbor.example.com/",
    "evil.example/harbor.example.com/app": "Begin with harbor.example.com/",
    "harbor.example.com@evil.example/app": "not a valid image reference",
    "<script>": "not a valid image reference",
    "x" * 2_000: "not a valid image reference",
}


@pytest.mark.parametrize(("image", "says"), WRONG.items())
def test_an_image_of_another_server_is_not_asked_for(cast: Cast, image: str, says: str) -> None:
    cast.add()

    status, text = ask(cast, image)

    assert (status, says in text, "<script>" in text) == (422, True, False)
    assert not VerificationRecord.objects.exists()


@pytest.mark.parametrize("image", WRONG)
def test_nor_through_the_api(cast: Cast, image: str) -> None:
    cast.add()

    response = post(cast.api("omar"), f"{TEAM_A}/harbor-prod/verify", {"image": image})

    assert response.status_code == 422
    assert response.json()["details"]["causes"][0]["field"] == "image"
    typed_one = {"domain": "harbor.example.com", "username": "u", "password": "p", "image": image}
    assert post(cast.api("omar"), f"{TEAM_A}/any/verify", typed_one).status_code == 422


NAMES = {
    ("harbor.example.com", "harbor.example.com/a/b"): ("a/b", "latest"),
    ("harbor.example.com", "harbor.example.com:443/a/b:1"): ("a/b", "1"),
    ("http://harbor.example.com:8080", "harbor.example.com:8080/a:x"): ("a", "x"),
    ("registry-1.docker.io", "nginx"): ("library/nginx", "latest"),
    ("registry-1.docker.io", "index.docker.io/nginx:1@sha256:" + "0" * 64): (
        "library/nginx",
        "sha256:" + "0" * 64,
    ),
    ("registry-1.docker.io", "team/app:1"): ("team/app", "1"),
}


@pytest.mark.parametrize(("given", "wanted"), NAMES.items())
def test_names_are_those_of_kubelets(given: tuple[str, str], wanted: tuple[str, str]) -> None:
    query = image_query(*given)

    assert (query.repository, query.reference) == wanted


def test_a_second_image_waits_for_the_first(cast: Cast) -> None:
    cast.add()
    access = cast.access("omar")
    services().tests.begin_test(access=access, key=KEY)

    with pytest.raises(Conflict) as error:
        services().tests.begin_test(access=access, key=KEY, image="harbor.example.com/a:1")
    assert error.value.problem is Problem.UNDER_WAY
    with pytest.raises(Invalid):
        services().tests.begin_test(access=access, key=KEY, image="docker.io/a:1")


@pytest.mark.parametrize(("person", "status"), [("omar", 200), ("nina", 200), ("vic", 403), ("sam", 404)])
def test_it_takes_the_right_to_test(cast: Cast, probing: Probing, person: str, status: int) -> None:
    values = probing("harbor")
    cast.add(**values)

    assert ask(cast, f"{host(values)}/demo/app:1.0", person)[0] == status
    assert cast.client(person).get(f"{PAGE}images/").status_code == status
    details = cast.client(person).get(PAGE)
    assert (b'id="image-test"' in details.content) is (status == 200)


def test_it_counts_as_a_test(cast: Cast, probing: Probing, settings: object) -> None:
    settings.TESTS_PER_MINUTE = 1  # type: ignore[attr-defined]
    values = probing("harbor")
    cast.add(**values)

    assert [ask(cast, f"{host(values)}/demo/app:1.0")[0] for _ in range(2)] == [200, 429]


def test_the_api_answers_with_numbers(cast: Cast, probing: Probing) -> None:
    values = probing("harbor")
    cast.add(**values)

    body = {"image": f"{host(values)}/demo/app:1.0"}
    image = post(cast.api("omar"), f"{TEAM_A}/harbor-prod/verify", body).json()["image"]

    assert (image["ok"], image["reason"], image["nodes"], image["pulls"]) == (
        True,
        "image_pullable",
        [],
        None,
    )
    assert {it["name"]: it["minutes"] for it in image["platforms"]} == {
        "linux/amd64": 1.3,
        "linux/arm64": 1.2,
        "linux/riscv64": 1.2,
    }
    plain = post(cast.api("omar"), f"{TEAM_A}/harbor-prod/verify").json()
    assert plain["image"] is None


@pytest.mark.parametrize("image", [1, [], {}, True])
def test_an_image_of_another_type_is_a_cause(cast: Cast, image: object) -> None:
    cast.add()

    response = post(cast.api("omar"), f"{TEAM_A}/harbor-prod/verify", {"image": image})

    assert response.status_code == 422
    assert response.json()["details"]["causes"][0]["field"] == "image"


def test_typed_values_may_have_an_image(cast: Cast, probing: Probing) -> None:
    values = probing("harbor")

    body = {**values, "image": f"{host(values)}/demo/app:2.0"}
    found = post(cast.api("omar"), f"{TEAM_A}/any/verify", body).json()

    assert (found["reason"], found["image"]["reason"]) == ("ok", "image_tag_missing")


def test_the_history_keeps_it_and_old_rows_have_none(cast: Cast, probing: Probing) -> None:
    values = probing("harbor")
    cast.add(**values)
    ask(cast, f"{host(values)}/demo/app:1.0")

    outcome = VerificationRecord.objects.get().outcome
    kept = from_json(outcome)
    assert isinstance(kept, Result)
    assert kept.image is not None
    assert [it.name for it in kept.image.platforms] == ["linux/amd64", "linux/arm64", "linux/riscv64"]
    old = json.loads(outcome)
    del old["image"]
    before = from_json(json.dumps(old))
    assert isinstance(before, Result)
    assert before.image is None


def test_a_busy_registry_is_left_alone_after_an_image_too(cast: Cast) -> None:
    from registries.probe.reason import Reason

    registry = cast.add()
    check, _ = services().tests.begin_test(access=cast.access("omar"), key=KEY)
    image = ImageResult("harbor.example.com/a:1", ImageReason.RATE_LIMITED, retry_after=120)
    services().tests.record_test(
        access=cast.access("omar"), check=check, result=Result(Reason.OK, image=image)
    )

    pause = Pause.objects.get()
    assert pause.username == registry.username
    assert timedelta(seconds=100) < pause.until - check.started_at < timedelta(seconds=140)


def test_the_embedded_store_offers_no_choices(cast: Cast) -> None:
    cast.add()

    assert services().images.of_pods(access=cast.access("omar"), key=KEY) is None
    assert b"button" not in cast.client("omar").get(f"{PAGE}images/").content
    assert b"add-images" not in cast.client("nina").get("/registries/-/add/").content


@pytest.mark.parametrize(
    ("size", "shown"),
    [(900, "0.9 kB"), (94_400, "94.4 kB"), (1_000_000, "1.0 MB"), (94_400_000, "94.4 MB"), (2e9, "2.0 GB")],
)
def test_a_size_has_a_fitting_unit(size: int, shown: str) -> None:
    assert image_view(result_of(size)).platforms[0][1] == shown


def result_of(size: int) -> ImageResult:
    return ImageResult("a:1", ImageReason.PULLABLE, platforms=(PlatformSize("linux/amd64", size),))
