"""The probe image of a registry: typed, edited and applied, and what it decides in tests."""

import json
import re
from collections.abc import Iterator

import pytest

from registries.domain.errors import Invalid, Problem
from registries.domain.reading import to_domain
from registries.domain.registry import Credential, Key
from registries.domain.resource import PREFIX
from registries.intake import read_draft
from registries.probe.reason import Reason
from registries.schedule.digest import CredentialDigest, fingerprint
from registries.service.images import saved_queries
from registries.wiring import services
from tests.api.test_api import TEAM_A, post
from tests.canary import CANARY
from tests.cast import Cast, Probing, typed
from tests.peers.scripted import Reply, Request, ScriptedServer, basic, registry_ok, scripted, unauthorized

NOTE = f"{PREFIX}probe-image"
PAGE = "/registries/team-a/harbor-prod/"
IMAGE = "harbor.example.com/team/app:1"
ELSEWHERE = "docker.io/team/app:1"


def test_it_is_typed_at_the_add_form_and_shown(cast: Cast) -> None:
    client = cast.client("nina", hx_request="true")

    added = client.post("/registries/-/add/", typed(probe_image=f" {IMAGE} "))

    assert added.status_code == 204
    assert cast.find().probe_image == IMAGE
    assert json.loads(cast.find().document)["metadata"]["annotations"][NOTE] == IMAGE
    assert IMAGE in cast.client("vic").get(PAGE).content.decode()


@pytest.mark.parametrize("image", [ELSEWHERE, "x:", "x" * 600, "a\u202eb"])
def test_one_of_another_registry_is_refused_at_its_field(cast: Cast, image: str) -> None:
    client = cast.client("nina", hx_request="true")

    response = client.post("/registries/-/add/", typed(probe_image=image))

    assert response.status_code == 422
    shown = response.content.decode()
    field = re.search(r'<input[^>]* id="id_probe_image"[^>]*>', shown)
    assert field
    assert "id_probe_image_error" in field[0]
    assert '<div id="id_probe_image_error" class="field-error">' in shown
    assert '<label for="id_probe_image" class="form-label visually-hidden">' in shown, "the fold shows it"
    with pytest.raises(Invalid) as error:
        services().registries.create(access=cast.access("nina"), draft=read_draft(typed(probe_image=image)))
    assert [it.field for it in error.value.causes] == ["probe_image"]


def edit(cast: Cast, image: str) -> None:
    registry = cast.find()
    services().registries.edit(
        access=cast.access("omar"),
        key=registry.key,
        uid=registry.uid,
        resource_version=registry.resource_version,
        information={**registry.information, "probe_image": image},
    )


def test_it_is_edited_and_removed(cast: Cast) -> None:
    cast.add()

    edit(cast, IMAGE)
    assert cast.find().probe_image == IMAGE
    with pytest.raises(Invalid) as error:
        edit(cast, ELSEWHERE)
    assert error.value.causes[0].problem is Problem.IMAGE_ELSEWHERE
    edit(cast, "")
    assert cast.find().probe_image == ""
    assert NOTE not in json.loads(cast.find().document)["metadata"]["annotations"]


def test_it_never_holds_the_password(cast: Cast) -> None:
    cast.add()

    with pytest.raises(Invalid) as error:
        edit(cast, f"harbor.example.com/team/{CANARY}:1")
    assert error.value.causes


def test_a_foreign_one_stops_no_edit_of_others(cast: Cast) -> None:
    registry = cast.add()
    services().store.annotate(registry.key, {NOTE: ELSEWHERE}, uid=registry.uid)

    found = cast.find()
    services().registries.edit(
        access=cast.access("omar"),
        key=found.key,
        uid=found.uid,
        resource_version=found.resource_version,
        information={**found.information, "owner": "team a"},
    )
    assert cast.find().owner == "team a"


APPLIED = {
    IMAGE: IMAGE,
    ELSEWHERE: ELSEWHERE,
    "a b": "",
    "x\u202e": "",
    "<b>": "",
    "https://robot:s3cretword@harbor.example.com/x": "",
    "robot:s3cretword@harbor.example.com/x": "",
    f"{IMAGE}@sha256:{'0' * 64}": f"{IMAGE}@sha256:{'0' * 64}",
    "[fd00::1]:5000/team/app:1": "[fd00::1]:5000/team/app:1",
    "x" * 513: "",
    f"harbor.example.com/{CANARY}": "",
}


@pytest.mark.parametrize(("image", "shown"), APPLIED.items())
def test_one_that_kubectl_applied_is_parsed(image: str, shown: str) -> None:
    resource = {
        "metadata": {"name": "x", "namespace": "team-a", "annotations": {NOTE: image}},
        "spec": {"domain": "harbor.example.com", "username": "u", "password": CANARY},
    }
    assert to_domain(resource).probe_image == shown


def test_a_client_sets_it_through_the_api(cast: Cast) -> None:
    cast.add()
    client = cast.api("omar")
    patch = {"metadata": {"annotations": {NOTE: IMAGE}}}

    kind = "application/merge-patch+json"
    done = client.patch(f"{TEAM_A}/harbor-prod", json.dumps(patch), content_type=kind)
    assert done.status_code == 200
    assert done.json()["metadata"]["annotations"][NOTE] == IMAGE
    patch["metadata"]["annotations"][NOTE] = ELSEWHERE
    wrong = client.patch(f"{TEAM_A}/harbor-prod", json.dumps(patch), content_type=kind)
    assert wrong.status_code == 422
    assert wrong.json()["details"]["causes"][0]["field"] == f"metadata.annotations[{NOTE}]"


def test_another_image_is_another_row_of_the_schedule(cast: Cast) -> None:
    digest = CredentialDigest("secret")
    without = Credential("harbor.example.com", "u", "p")
    with_one = Credential("harbor.example.com", "u", "p", probe_image=IMAGE)
    assert digest(without) != digest(with_one)

    before = cast.add()
    edit(cast, IMAGE)
    assert fingerprint(before) != fingerprint(cast.find())


def test_a_foreign_one_is_not_asked_for() -> None:
    assert saved_queries(Credential("harbor.example.com", "u", "p", probe_image=ELSEWHERE)) == ()
    assert saved_queries(Credential("harbor.example.com", "u", "p")) == ()
    [query] = saved_queries(Credential("harbor.example.com", "u", "p", probe_image=IMAGE))
    assert query.decides


# What it decides


def lenient(request: Request) -> Reply:
    """A registry that checks no log-in, and gives its images to one account."""
    if request.path == "/v2/":
        return registry_ok()
    if request.authorization == basic("robot", "right-password"):
        return Reply(200, [("Docker-Distribution-Api-Version", "registry/2.0")])
    return unauthorized('Basic realm="x"')


@pytest.fixture
def server(settings: object) -> Iterator[ScriptedServer]:
    settings.PROBE_ALLOW_LOOPBACK = True  # type: ignore[attr-defined]
    with scripted(lenient) as running:
        yield running


CASES = {
    # password, with a probe image: the verdict
    ("right-password", False): Reason.OK_UNVERIFIED,
    ("wrong-password", False): Reason.OK_UNVERIFIED,
    ("right-password", True): Reason.OK,
    ("wrong-password", True): Reason.PROBE_IMAGE_DENIED,
}


@pytest.mark.parametrize(("case", "reason"), CASES.items())
def test_it_decides_in_every_kind_of_test(
    cast: Cast, server: ScriptedServer, case: tuple[str, bool], reason: Reason
) -> None:
    password, saved = case
    image = f"{server.netloc}/team/app:1" if saved else ""
    cast.add(domain=server.address, username="robot", password=password, probe_image=image)

    found = post(cast.api("omar"), f"{TEAM_A}/harbor-prod/verify").json()
    assert (found["reason"], found["success"]) == (reason, reason.ok)
    assert cast.find().verification.reason == reason

    registry = cast.find()
    credential = services().store.credential(Key("team-a", "harbor-prod"), uid=registry.uid)
    assert services().tests.probe(credential).reason is reason  # as the schedule tests


@pytest.mark.parametrize(("password", "image"), [("right-password", True), ("wrong-password", False)])
def test_a_typed_image_does_not_replace_it(
    cast: Cast, server: ScriptedServer, password: str, image: bool
) -> None:
    saved = f"{server.netloc}/team/app:1"
    cast.add(domain=server.address, username="robot", password=password, probe_image=saved)

    body = {"image": f"{server.netloc}/team/other:2"}
    found = post(cast.api("omar"), f"{TEAM_A}/harbor-prod/verify", body).json()

    assert found["reason"] == (Reason.OK if image else Reason.PROBE_IMAGE_DENIED)
    assert found["image"]["image"] == (body["image"] if image else saved)


def test_somebody_elses_image_decides_nothing(cast: Cast, server: ScriptedServer) -> None:
    cast.add(domain=server.address, username="robot", password="wrong-password")

    body = {"image": f"{server.netloc}/team/app:1"}
    found = post(cast.api("omar"), f"{TEAM_A}/harbor-prod/verify", body).json()

    assert (found["reason"], found["image"]["reason"]) == ("ok_unverified", "image_denied")


def test_the_trial_of_the_add_form_looks_at_it(cast: Cast, probing: Probing) -> None:
    values = probing("harbor")
    client = cast.client("nina", hx_request="true")
    image = f"{values['domain']}/demo/app:2.0"

    page = client.post("/registries/-/try/", typed(**{**values, "probe_image": image})).content.decode()

    assert "image-answer verdict-bad" in page
    wrong = client.post("/registries/-/try/", typed(**{**values, "probe_image": ELSEWHERE}))
    assert wrong.status_code == 422
    assert 'data-error-for="id_probe_image"' in wrong.content.decode()
