"""更换密码 for a robot account of Harbor: a second account, made like the first one, which still works afterwards."""

import json
import logging
import re
from typing import Any

import pytest
from django.utils import timezone

from registries.domain.errors import Unavailable
from registries.domain.registry import VerifyStatus
from registries.models import AuditEntry, Rotation, Run
from registries.probe.harbor import HarborAccount, HarborRobots
from registries.probe.harbor_robot import HarborError, HarborProblem
from registries.wiring import services
from tests.cast import Cast
from tests.peers.harbor import ADMIN, CHARTS, GUEST, LASTS, NAME, OLD, PULL, STRANGER, Harbor
from tests.peers.scripted import HERE, Reply
from tests.web.password_pages import stored
from tests.web.test_harbor_secret import peer, renewed  # noqa: F401  a fixture

NOW = timezone.now()
SECOND = f"{NAME}-{timezone.localdate(NOW):%Y%m%d}"


@pytest.fixture(autouse=True)
def one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day is in the name of the account: midnight may come after this file was read."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def second(cast: Cast, account: tuple[str, str] = ADMIN, **values: Any) -> Any:
    return renewed(cast, account, way="second", **values)


def said(answer: Any) -> str:
    return f"{answer.content.decode()} {json.dumps(dict(answer.headers))}"


def test_the_registry_and_its_copy_use_a_second_account_that_nobody_saw(
    cast: Cast,
    peer: Harbor,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    answer = second(cast, copies=[cast.find("copy").uid])

    assert answer.status_code == 200, answer.content.decode()
    assert 'id="rotation-done"' in answer.content.decode(), (
        "the dialog stays: somebody deletes the old account"
    )
    made = peer.robots[-1]
    [secret] = peer.changes
    assert (made["name"], made["level"], made["duration"]) == (SECOND, "project", LASTS)
    assert made["permissions"] == [{"kind": "project", "namespace": "team-a", "access": PULL}]
    assert peer.secrets[NAME] == OLD, "the first account still works"
    assert {it.username for it in (cast.find(), cast.find("copy"))} == {SECOND}
    assert stored() == stored("copy") == secret
    assert cast.find().verification.status is VerifyStatus.SUCCESS
    told = said(answer)
    for name in (SECOND, NAME, "harbor-prod"):
        assert f'<code class="unbroken">{name}</code>' in told, "it breaks at no hyphen"
    words = re.sub(r"</?code[^>]*>", "", told)
    assert f"harbor-prod and its copies now use the robot account {SECOND}: 2 registries." in words
    assert f"Delete the old robot account {NAME} in Harbor once no other registry uses it." in words
    assert secret not in told + caplog.text
    assert ADMIN[1] not in told + caplog.text
    assert not Rotation.objects.exists(), "the sealed secret is forgotten at the end"
    page = cast.client("nina").get("/journal/?action=password").content.decode()
    assert SECOND in page
    assert secret not in page


def test_a_third_account_does_not_grow_the_name(cast: Cast, peer: Harbor) -> None:  # noqa: F811
    assert second(cast).status_code == 200
    assert second(cast).status_code == 200
    assert second(cast).status_code == 200

    made = [it["name"] for it in peer.robots[-3:]]
    assert made == [SECOND, f"{SECOND}-2", f"{SECOND}-3"]
    assert cast.find().username == made[-1]


def test_a_name_that_would_be_too_long_is_not_created(peer: Harbor) -> None:  # noqa: F811
    """By no Harbor that keeps its own limit; but another one may answer."""
    name = f"{NAME}{'x' * 230}"
    peer.add(name)
    harbor, asked = HarborRobots(peer.server.address, HarborAccount(*ADMIN), HERE), list[str]()
    with harbor, pytest.raises(HarborError) as raised:
        harbor.second(name, timezone.localdate(), asked.append)
    assert raised.value.problem is HarborProblem.REFUSED
    assert not asked
    assert "POST" not in {it.method for it in peer.server.requests}


def test_a_system_account_gets_a_system_account(cast: Cast, peer: Harbor) -> None:  # noqa: F811
    scopes = [
        {"kind": "system", "namespace": "/", "access": [{"resource": "project", "action": "list"}]},
        {"kind": "project", "namespace": "*", "access": PULL},
    ]
    peer.add("robot$all", permissions=scopes)
    peer.secrets["robot$all"] = OLD
    cast.add("system", domain=peer.server.address, username="robot$all", password=OLD)

    assert second(cast, name="system").status_code == 200

    made = peer.robots[-1]
    assert (made["level"], made["permissions"]) == ("system", scopes)
    assert cast.find("system").username == made["name"] == f"robot$all-{timezone.localdate():%Y%m%d}"


@pytest.mark.parametrize(
    ("account", "prepare", "text"),
    [
        (STRANGER, {}, "refused the user name or the password"),
        (GUEST, {}, "may not manage robot accounts"),
        (ADMIN, {"robots": []}, "no robot account of this name"),
        (ADMIN, {"disable": True}, "is disabled"),
        (ADMIN, {"version": (2, 1)}, "no API of Harbor"),
        (ADMIN, {"editable": False, "permissions": []}, "Harbor 1 created it"),
        (
            ADMIN,
            {"permissions": [{"kind": "project", "namespace": "team-a", "access": []}]},
            "Harbor 1 created",
        ),
        (ADMIN, {"permissions": ["text"]}, "unexpected answer"),
        (ADMIN, {"level": "galaxy"}, "unexpected answer"),
        (
            ADMIN,
            {"permissions": [{"kind": "project", "namespace": "team-a", "access": [*PULL, CHARTS]}]},
            "with the same permissions",
        ),
        (ADMIN, {"POST": Reply(403)}, "may not manage robot accounts"),
        (ADMIN, {"POST": Reply(409)}, "refused the request"),
        (ADMIN, {"POST": Reply(307, [("Location", "http://localhost:1/")])}, "unexpected answer"),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_changes(
    cast: Cast,
    peer: Harbor,  # noqa: F811
    account: tuple[str, str],
    prepare: dict[str, Any],
    text: str,
) -> None:
    for key, value in prepare.items():
        if key in ("robots", "version"):
            setattr(peer, key, value)
        elif key == "POST":
            peer.instead[key], peer.applies = value, False
        else:
            peer.robots[-1][key] = value
    before = len(peer.robots)

    answer = second(cast, account)

    shown = answer.content.decode()
    assert answer.status_code == 422
    assert text in shown
    assert "Nothing was changed in Harbor." in shown
    assert account[1] not in shown
    assert (stored(), cast.find().username, len(peer.robots)) == (OLD, NAME, before)
    assert not Run.objects.exists()
    assert not AuditEntry.objects.filter(note__startswith="robot ").exists()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(raw=b"", close=True),
        Reply(502),
        Reply(200),
        Reply(202),
        Reply(204),
        Reply(201, body=b"not json"),
        Reply(201, body=b'{"id": 9, "name": "robot$team-b+other", "secret": "Some-Secret-9"}'),
        Reply(201, body=json.dumps({"id": 9, "name": SECOND, "secret": ""}).encode()),
    ],
)
def test_without_a_usable_answer_the_page_names_the_account_to_look_for(
    cast: Cast,
    peer: Harbor,  # noqa: F811
    reply: Reply,
) -> None:
    peer.instead["POST"] = reply

    answer = second(cast)

    assert answer.status_code == 422
    assert re.search(rf"may have created the robot account {re.escape(SECOND)}", answer.content.decode())
    assert "Nothing was changed in Harbor." not in answer.content.decode()
    assert (stored(), cast.find().username) == (OLD, NAME)
    page = cast.client("nina").get("/journal/?action=password").content.decode()
    assert re.search(
        rf"在 Harbor 中创建机器人账号 {re.escape(SECOND)}，.*?未收到响应：可能已完成", page, re.DOTALL
    )


def test_the_audit_log_names_the_account_before_harbor_is_asked(
    cast: Cast,
    peer: Harbor,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first name is taken. Then the process dies with the answer."""
    peer.add(SECOND)
    create = HarborRobots._create

    def killed(self: HarborRobots, *values: Any) -> Any:
        if (made := create(self, *values)) is None:
            return None
        raise SystemExit(made.name)

    monkeypatch.setattr(HarborRobots, "_create", killed)
    with pytest.raises(SystemExit, match="-2"):
        second(cast)
    page = cast.client("nina").get("/journal/?action=password").content.decode()
    for name in (SECOND, f"{SECOND}-2"):
        assert f"请求 Harbor 创建机器人账号 {name}，用于替换 {NAME}" in page


@pytest.mark.parametrize("stays", [False, True])
def test_an_account_that_no_registry_can_use_is_deleted(
    cast: Cast,
    peer: Harbor,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    *,
    stays: bool,
) -> None:
    """The database fails after Harbor has answered."""

    def away(*_values: Any, **_more: Any) -> None:
        raise Unavailable("store")

    before = len(peer.robots)
    if stays:
        peer.instead["DELETE"] = Reply(500)
        monkeypatch.setattr(Harbor, "_delete", lambda *_: Reply(500))
    monkeypatch.setattr(services().rotation_rows, "add", away)

    answer = second(cast)

    assert answer.status_code == 422
    assert len(peer.robots) == before + stays
    assert (SECOND in answer.content.decode()) is stays
    assert (stored(), cast.find().username) == (OLD, NAME)


def test_a_second_account_that_does_not_connect_is_named_and_the_first_one_is_kept(
    cast: Cast,
    peer: Harbor,  # noqa: F811
) -> None:
    registry = peer._registry
    peer._registry = lambda login: registry(login if login and login[0] == NAME else None)  # type: ignore[method-assign]

    answer = second(cast)

    shown = answer.content.decode()
    assert (stored(), cast.find().username) == (OLD, NAME)
    assert (
        f'accounts <code class="unbroken">{NAME}</code> and <code class="unbroken">{SECOND}</code>' in shown
    )


def test_other_people_create_nothing(cast: Cast, peer: Harbor) -> None:  # noqa: F811
    before = len(peer.robots)

    assert second(cast, person="omar").status_code == 403
    assert second(cast, uid="other").status_code == 409
    assert second(cast, version="7").status_code == 409
    assert len(peer.robots) == before
