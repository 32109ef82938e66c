"""更换密码 for a robot account of Harbor: the console renews the secret, shows it to nobody, and does not lose it."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest
from django.utils import timezone

from registries.domain.registry import VerifyStatus
from registries.models import Rotation, Run
from registries.stores import embedded
from registries.wiring import services
from tests.cast import Cast
from tests.peers.certificates import Authority
from tests.peers.harbor import ADMIN, GUEST, NAME, OLD, STRANGER, Harbor, harbor
from tests.peers.scripted import Reply
from tests.web.password_pages import PATH, posted, stored

pytest_plugins = ["tests.peers.authorities"]
DOWN = Reply(raw=b"", reset=True)


class AnHourAgo(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "AnHourAgo":
        return super().now(tz) - timedelta(hours=1)


@pytest.fixture
def peer(settings: Any, cast: Cast) -> Iterator[Harbor]:
    """A Harbor with a robot account, whose registry has an old secret; and a copy of it."""
    settings.PROBE_ALLOW_LOOPBACK = True
    settings.PROBE_CONNECT_TIMEOUT = settings.PROBE_READ_TIMEOUT = settings.PROBE_TIMEOUT = 60.0
    with harbor() as running:
        for name in ("harbor-prod", "copy"):
            cast.add(name, domain=running.server.address, username=NAME, password=OLD)
        yield running


def renewed(
    cast: Cast,
    account: tuple[str, str] = ADMIN,
    person: str = "nina",
    name: str = "harbor-prod",
    **values: Any,
) -> Any:
    """Sends the dialog of a registry with this Harbor account."""
    client, path = cast.client(person, hx_request="true"), f"/registries/team-a/{name}/password/"
    client.cookies["django_language"] = "en"
    page = cast.client("nina").get(path).content.decode()
    return posted(
        client, page, f"{path}harbor/", harbor_username=account[0], harbor_password=account[1], **values
    )


def test_the_registry_and_its_copy_get_a_secret_that_nobody_saw(
    cast: Cast, peer: Harbor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = cast.find()

    answer = renewed(cast, copies=[cast.find("copy").uid])

    assert answer.status_code == 204, answer.content.decode()
    [secret] = peer.changes
    assert stored() == stored("copy") == peer.secrets[NAME] == secret
    after = cast.find()
    assert after.uid == before.uid
    assert after.verification.status is VerifyStatus.SUCCESS
    said = answer.content.decode() + json.dumps(dict(answer.headers)) + caplog.text
    assert secret not in said
    assert ADMIN[1] not in said
    assert not Rotation.objects.exists(), "the sealed secret is forgotten at the end"


def test_the_toast_says_whose_password_changed(
    cast: Cast, peer: Harbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is as old as the run may have been created again by it, with other values too."""
    with monkeypatch.context() as earlier:
        earlier.setattr(embedded, "datetime", AnHourAgo)
        cast.add("older", domain=peer.server.address, username=NAME, password=OLD)

    answer = renewed(cast, name="older")

    assert json.loads(answer["HX-Trigger"])["toast"]["text"].startswith("Changed the password of older.")


@pytest.mark.parametrize(
    ("account", "prepare", "text"),
    [
        (STRANGER, {}, "refused the user name or the password"),
        (GUEST, {}, "may not manage robot accounts"),
        (ADMIN, {"robots": []}, "no robot account of this name"),
        (ADMIN, {"disable": True}, "is disabled"),
        (ADMIN, {"expires_at": 1}, "has expired"),
        (ADMIN, {"GET": Reply(404, body=b"404 page not found")}, "no API of Harbor"),
        (ADMIN, {"GET": Reply(200, body=b"<!doctype html>")}, "no API of Harbor"),
        (ADMIN, {"GET": Reply(200, body=b"[" * 100_000)}, "no API of Harbor"),
        (ADMIN, {"GET": Reply(200, body=b'"text"')}, "unexpected answer"),
        (ADMIN, {"GET": Reply(302, [("Location", "http://localhost:1/")])}, "unexpected answer"),
        (ADMIN, {"GET": Reply(500)}, "unexpected answer"),
        (ADMIN, {"GET": Reply(reset=True)}, "Nothing was changed"),
        (ADMIN, {"version": (2, 1)}, "no API of Harbor"),
        (ADMIN, {"PATCH": Reply(403)}, "may not manage robot accounts"),
        (ADMIN, {"PATCH": Reply(401)}, "refused the user name or the password"),
        (ADMIN, {"PATCH": Reply(400)}, "refused the request"),
        (ADMIN, {"PATCH": Reply(307, [("Location", "http://localhost:1/")])}, "unexpected answer"),
        (("", ""), {}, "is required"),
        (("a:b", "x"), {}, "colon"),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_changes(
    cast: Cast, peer: Harbor, account: tuple[str, str], prepare: dict[str, Any], text: str
) -> None:
    peer.applies = False
    for key, value in prepare.items():
        if key in ("robots", "version"):
            setattr(peer, key, value)
        elif key in ("GET", "PATCH"):
            peer.instead[key] = value
        else:
            peer.robots[-1][key] = value

    answer = renewed(cast, account)

    shown = answer.content.decode()
    assert answer.status_code == 422
    assert text in shown
    assert 'id="harbor-secret" open' in shown
    assert account[1] not in shown or not account[1] or account[1] == "x"
    assert stored() == OLD
    assert not Rotation.objects.exists()
    assert all(request.header("host") == peer.server.netloc for request in peer.server.requests)


def test_a_secret_that_cannot_be_tested_is_kept(cast: Cast, peer: Harbor) -> None:
    """Harbor has the new secret, and its registry refuses everybody for a moment: going back would be wrong."""
    registry = peer._registry
    peer._registry = lambda login: Reply(503) if peer.changes else registry(login)  # type: ignore[method-assign]

    answer = renewed(cast)

    assert answer.status_code == 200
    assert stored() == peer.secrets[NAME] == peer.changes[0]


@pytest.mark.parametrize("applies", [True, False])
@pytest.mark.parametrize(
    "reply", [Reply(raw=b"", close=True), Reply(502), Reply(504), Reply(202), Reply(204)]
)
def test_without_an_answer_the_test_decides_which_secret_is_right(
    cast: Cast, peer: Harbor, reply: Reply, *, applies: bool
) -> None:
    peer.instead["PATCH"], peer.applies = reply, applies

    renewed(cast)

    assert len(peer.changes) == 1
    assert stored() == peer.secrets[NAME] == (peer.changes[0] if applies else OLD)


@pytest.mark.parametrize("applies", [True, False])
def test_while_harbor_is_away_both_secrets_are_kept(cast: Cast, peer: Harbor, *, applies: bool) -> None:
    """It goes away in the middle of the change. Once it is back, a test tells which secret it has."""
    registry, away = peer._registry, [True]
    peer._registry = lambda login: DOWN if away[0] else registry(login)  # type: ignore[method-assign]
    peer.instead["PATCH"], peer.applies = DOWN, applies

    shown = renewed(cast).content.decode()

    assert len(peer.changes) == 1
    assert Rotation.objects.count() == 1
    assert "rotation-retry" in shown
    assert "The console tries again by itself" in shown
    run = Run.objects.get()
    cast.client("nina", hx_request="true").post(f"/registries/-/rotations/{run.pk}/retry/")
    assert Rotation.objects.count() == 1, "it is still away"

    away[0] = False
    cast.client("nina", hx_request="true").post(f"/registries/-/rotations/{run.pk}/retry/")

    assert stored() == peer.secrets[NAME] == (peer.changes[0] if applies else OLD)
    assert not Rotation.objects.exists()


@pytest.mark.parametrize("applies", [True, False])
def test_once_harbor_is_back_the_change_goes_on_by_itself(cast: Cast, peer: Harbor, *, applies: bool) -> None:
    registry, away = peer._registry, [True]
    peer._registry = lambda login: DOWN if away[0] else registry(login)  # type: ignore[method-assign]
    peer.instead["PATCH"], peer.applies = DOWN, applies
    renewed(cast)

    tried_again(0, 59)
    assert Run.objects.get().fence == 1, "not at once"
    tried_again(0, 61)
    assert Run.objects.get().fence == 2, "it is still away"
    tried_again(3600, 61)
    assert Run.objects.get().fence == 2, "the longer it is away, the longer is the pause"
    away[0] = False
    tried_again(3600, 901)

    assert stored() == peer.secrets[NAME] == (peer.changes[0] if applies else OLD)
    assert not Rotation.objects.exists()


@pytest.mark.parametrize("decided", ["token", "rolled back", "left", "stopped before"])
def test_what_a_person_decides_is_not_tried_again(cast: Cast, peer: Harbor, decided: str) -> None:
    peer._registry = lambda login: DOWN  # type: ignore[method-assign]
    peer.instead["PATCH"] = DOWN
    renewed(cast)
    run = Run.objects.get()
    if decided == "left":
        services().rotations.leave(access=cast.access("nina"), run_id=run.pk)
    elif decided == "stopped before":
        run.items.update(state="waiting")
    else:
        Rotation.objects.update(by_token=decided == "token", undoing=decided == "rolled back")

    tried_again(0, 3600)

    assert Run.objects.get().fence == run.fence + (decided == "left")


def tried_again(age: int, stopped: int) -> None:
    """Looks for runs to try again, as if the only one were this old when it stopped, this long ago; both in seconds."""
    at = timezone.now() - timedelta(seconds=stopped)
    Run.objects.update(finished_at=at)
    Rotation.objects.update(created_at=at - timedelta(seconds=age))
    services().rotations.retry_undecided(services().people.access_now)


def test_a_failure_of_the_store_loses_no_secret(
    cast: Cast, peer: Harbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run has the secret: it tries again."""
    with monkeypatch.context() as broken:
        broken.setattr(services().replacement, "put", _away)
        answer = renewed(cast)
    assert stored() == OLD
    assert peer.secrets[NAME] == peer.changes[0]
    assert "rotation-retry" in answer.content.decode()

    run = Run.objects.get()
    cast.client("nina", hx_request="true").post(f"/registries/-/rotations/{run.pk}/retry/")

    assert stored() == peer.changes[0]


def test_other_people_and_other_registries_renew_nothing(cast: Cast, peer: Harbor) -> None:
    cast.add("person", domain=peer.server.address, username="admin", password=OLD)

    assert renewed(cast, person="omar").status_code == 403
    assert renewed(cast, uid="other").status_code == 409
    assert renewed(cast, version="7").status_code == 409
    answer = posted(
        cast.client("nina"), path="/registries/team-a/person/password/harbor/", harbor_username="a"
    )
    assert answer.status_code == 422
    assert not peer.changes
    assert "harbor-secret" in cast.client("nina").get(PATH).content.decode()
    assert (
        "harbor-secret" not in cast.client("nina").get("/registries/team-a/person/password/").content.decode()
    )


def test_the_address_guard_and_the_ca_of_the_registry_count(
    cast: Cast, settings: Any, authority: Authority
) -> None:
    settings.PROBE_CONNECT_TIMEOUT = settings.PROBE_READ_TIMEOUT = settings.PROBE_TIMEOUT = 60.0
    with harbor(tls=authority.server_context(authority.issue("localhost"))) as running:
        values = {"domain": running.server.address, "username": NAME, "password": OLD}
        cast.add(**values)
        settings.PROBE_ALLOW_LOOPBACK = False
        assert renewed(cast).status_code == 422
        assert running.server.connections == 0
        settings.PROBE_ALLOW_LOOPBACK = True
        assert renewed(cast).status_code == 422
        assert not running.server.requests
        cast.add("with-ca", **values, tls="ca", ca_bundle=authority.root.pem)
        assert renewed(cast, name="with-ca").status_code == 204
        assert stored("with-ca") == running.changes[0]


def _away(**_values: Any) -> None:
    from registries.domain.errors import Unavailable

    raise Unavailable("store")
