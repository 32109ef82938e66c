"""The checks that run by themselves look at the probe image where a log-in proves nothing: at an open registry, and at
one whose token service gives anonymous tokens."""

import pytest

from registries.probe import Reason
from tests.peers.scripted import Reply, Request, basic, json_reply, registry_ok, scripted, unauthorized
from tests.schedule.registries import RIGHT, WRONG, World

IMAGE = "team/app:1"
FOUND = Reply(200, [("Docker-Distribution-Api-Version", "registry/2.0")])


def open_ping(request: Request) -> Reply:
    """A registry that checks no log-in, and gives its images to one account."""
    if request.path == "/v2/":
        return registry_ok()
    return FOUND if request.authorization == basic("robot", RIGHT) else unauthorized('Basic realm="x"')


def anonymous_tokens(request: Request) -> Reply:
    """Harbor before its log-in is asked for a scope: a token for everybody, which opens `/v2/` but no image."""
    if request.path == "/token":
        good = request.authorization == basic("robot", RIGHT)
        return json_reply({"token": "right" if good else "anonymous"})
    realm = f'Bearer realm="http://{request.header("host")}/token",service="x"'
    if request.path == "/v2/":
        return registry_ok() if request.authorization else unauthorized(realm)
    return FOUND if request.authorization == "Bearer right" else unauthorized(realm)


@pytest.mark.parametrize("answers", [open_ping, anonymous_tokens])
def test_a_wrong_password_is_found_with_a_probe_image_only(world: World, answers: object) -> None:
    with scripted(answers) as server:  # type: ignore[arg-type]
        image = f"{server.netloc}/{IMAGE}"
        for name, password, saved in (
            ("right-image", RIGHT, image),
            ("wrong-image", WRONG, image),
            ("right", RIGHT, ""),
            ("wrong", WRONG, ""),
        ):
            world.cast.add(
                name, domain=server.address, username="robot", password=password, probe_image=saved
            )
        world.run(20)

    found = {name: world.cast.find(name).verification.reason for name in ("right-image", "wrong-image")}
    assert found == {"right-image": Reason.OK, "wrong-image": Reason.PROBE_IMAGE_DENIED}
    unproven = {world.cast.find(name).verification.reason for name in ("right", "wrong")}
    assert unproven == {Reason.OK_UNVERIFIED}
    asked = [it.path for it in server.requests if "/manifests/" in it.path]
    assert set(asked) == {"/v2/team/app/manifests/1"}
