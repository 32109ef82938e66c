"""The robot accounts of the demo's Harbor, as the console manages them, and what Harbor refuses."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from registries.demo.catalogue import LOGINS, RENEWED
from registries.demo.process import DemoRegistries
from registries.demo.robots import API, MOST, Robots
from registries.probe.harbor import HarborAccount, HarborRobots, new_secret
from registries.probe.harbor_robot import HarborError, HarborProblem
from tests.peers.demo_client import BY_NAME, ask, basic, login
from tests.peers.ports import demo_base
from tests.peers.scripted import HERE

HOST = "harbor.localhost"
ROBOT, SECRET = RENEWED
ADMIN = HarborAccount(*LOGINS["harbor"])


def harbor(demo: DemoRegistries, account: HarborAccount = ADMIN) -> HarborRobots:
    policy = replace(HERE, ca_file=str(demo.ca_file))
    return HarborRobots(demo.address(BY_NAME["harbor"]), account, policy)


@pytest.fixture
def own(tmp_path: Path) -> Callable[[], DemoRegistries]:
    """Starts the registries, each time with the same folder."""
    return lambda: DemoRegistries(tmp_path / "state", base_port=demo_base())


def test_a_second_account_and_a_new_secret_are_there_after_the_next_start(
    own: Callable[[], DemoRegistries],
) -> None:
    asked: list[str] = []
    with own() as demo:
        with harbor(demo) as robots:
            second = robots.second(ROBOT, date(2026, 11, 29), asked.append)
        assert second.name == f"{ROBOT}-20261129"
        assert login(demo, HOST, (second.name, second.secret)) == 200
        assert login(demo, HOST, RENEWED) == 200, "nodes go on with the first one"
        with harbor(demo) as robots:
            new = new_secret()
            assert robots.set_secret(robots.find(ROBOT), new)
        assert [login(demo, HOST, (ROBOT, it)) for it in (new, SECRET)] == [200, 401]
        with harbor(demo) as robots:
            third = robots.second(ROBOT, date(2026, 11, 30), asked.append)
            assert robots.discard(third.number)
        assert asked == [second.name, third.name]
        assert login(demo, HOST, (third.name, third.secret)) == 401
    with own() as demo:
        assert [login(demo, HOST, (ROBOT, it)) for it in (new, SECRET)] == [200, 401]
        assert login(demo, HOST, (second.name, second.secret)) == 200


@pytest.mark.parametrize(
    ("account", "robot", "problem"),
    [
        (HarborAccount("admin", "wrong"), ROBOT, HarborProblem.WRONG_ACCOUNT),
        (HarborAccount(*RENEWED), ROBOT, HarborProblem.NO_RIGHT),
        (ADMIN, "robot$team-a+gone", HarborProblem.NO_ROBOT),
        (ADMIN, "robot$elsewhere+deploy", HarborProblem.NO_ROBOT),
        (ADMIN, "robot$deploy", HarborProblem.NO_ROBOT),
    ],
)
def test_what_harbor_refuses(
    demo: DemoRegistries, account: HarborAccount, robot: str, problem: HarborProblem
) -> None:
    with harbor(demo, account) as robots, pytest.raises(HarborError) as refused:
        robots.find(robot)
    assert refused.value.problem is problem


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "robots", b"[]", 400),
        ("POST", "robots", b"{" * 2000, 400),
        ("POST", "robots", json.dumps({"name": "A b", "level": "project"}).encode(), 400),
        ("POST", "robots", json.dumps({"name": "deploy", "level": "project"}).encode(), 409),
        ("PATCH", "robots/1", b'{"secret": "short"}', 400),
        ("PATCH", "robots/77", b'{"secret": "Long-enough-1"}', 404),
        ("DELETE", "robots/77", None, 404),
        ("PUT", "robots/1", None, 404),
        ("GET", "users", None, 404),
    ],
)
def test_what_is_no_request_of_harbor(
    demo: DemoRegistries, method: str, path: str, body: bytes | None, status: int
) -> None:
    admin = basic(ADMIN.username, ADMIN.password)
    assert ask(demo, HOST, API + path, admin, method=method, body=body).status == status
    assert login(demo, HOST, RENEWED) == 200


def test_there_is_an_end_to_the_accounts(demo: DemoRegistries) -> None:
    admin = basic(ADMIN.username, ADMIN.password)
    statuses = [
        ask(
            demo,
            HOST,
            f"{API}robots",
            admin,
            method="POST",
            body=json.dumps({"name": f"r-{number}", "level": "project"}).encode(),
        ).status
        for number in range(MOST)
    ]
    assert statuses == [201] * (MOST - 1) + [412]


@pytest.mark.parametrize("content", ["", "[]", "{}", "[1]", '[{"id": 1}]', "\udc80"])
def test_a_file_that_cannot_be_read_is_a_new_demo(tmp_path: Path, content: str) -> None:
    file = tmp_path / "robots.json"
    file.write_bytes(content.encode(errors="surrogateescape"))
    assert Robots((ADMIN.username, ADMIN.password), RENEWED, file).knows(RENEWED)
