"""The whole loop: a registry breaks, the robot tells it; silence, repair, and the robot tells the recovery."""

from datetime import timedelta
from typing import Any

import pytest

from registries.schedule import silences
from registries.schedule.silences import Scope, Window
from registries.wiring import services
from tests.peers.robots import Robot, robot
from tests.peers.scripted import Reply
from tests.schedule.registries import World


@pytest.fixture(autouse=True)
def reachable(settings: Any) -> None:
    settings.NOTIFY_PLAIN_HTTP = settings.PROBE_ALLOW_LOOPBACK = True
    settings.NOTIFY_URL = "https://console.example"


def send(world: World) -> None:
    """The schedule looks for silences that have ended; half a minute later, the sender sends what is due."""
    world.turn()
    world.clock.now += timedelta(seconds=31)
    while services().sender.send_one():
        world.clock.now += timedelta(seconds=10)


def texts(running: Robot) -> list[str]:
    return [str(it["text"]["content"]) for it in running.received]  # type: ignore[index]


def test_a_robot_hears_of_the_failure_and_of_the_recovery(world: World) -> None:
    olive, registry = world.cast.client("olive", hx_request="true"), world.registry()
    with robot("wecom") as running:
        typed = {"namespace": "*", "name": "值班群", "language": "zh", "url": running.url}
        assert olive.post("/channels/-/add/wecom/", typed).status_code == 200
        for name, namespace in (("a", "team-a"), ("b", "team-a"), ("c", "team-b")):
            world.add(name, registry, namespace)
        world.run(8)
        send(world)
        assert texts(running) == []

        registry.broken = Reply(503)
        world.run(8)
        send(world)
        [failing] = texts(running)
        assert "上 3 个镜像源连接失败（2 个命名空间）：" in failing
        assert "命名空间（2 个）：team-a、team-b" in failing
        host = registry.server.address.replace("://", "%3A%2F%2F").partition("%2F%2F")[2].replace(":", "%3A")
        assert f"https://console.example/registries/?q={host}&status=failed" in failing

        now = world.clock.now
        silences.add(
            access=world.cast.access("olive"),
            scope=Scope(),
            window=Window(now, now + timedelta(hours=12)),
            reason="upgrade",
        )
        registry.broken = None
        world.run(8)
        send(world)
        assert len(texts(running)) == 1, "a message in a silence"
        page = world.cast.client("vic").get("/registries/").content.decode()
        assert "连接成功" in page

        world.run(8)
        send(world)
        assert "上 3 个镜像源已恢复" in texts(running)[1]
        assert f"https://console.example/registries/?q={host}\n" in texts(running)[1] + "\n", (
            "not those that fail"
        )
        world.run(48)
        send(world)
        assert len(texts(running)) == 2
