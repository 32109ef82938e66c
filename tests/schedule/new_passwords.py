"""A registry that fails until it gets a new password, for tests."""

import pytest

from registries.events.change import ChangeKind
from registries.models import Channel
from registries.wiring import services
from tests.schedule.registries import Registry, World
from tests.schedule.test_telling import told

NEW = "new-6w4d"
FAILING = (ChangeKind.FAILING, "r", "bad_credentials")
RECOVERED = (ChangeKind.RECOVERED, "r", "ok")


@pytest.fixture(autouse=True)
def channel(db: None) -> Channel:
    return Channel.objects.create(name="all", service="slack", sealed="")


def change(world: World, password: str = NEW) -> None:
    found = world.cast.find("r")
    services().passwords.change_password(
        access=world.cast.access("nina"), key=found.key, uid=found.uid, password=password
    )


def failing(world: World) -> tuple[Registry, str]:
    """A registry whose password was changed at the registry, and its uid."""
    registry = world.registry()
    uid = world.add("r", registry)
    world.run(7)
    registry.right = NEW
    world.run(8)
    assert told() == [FAILING]
    return registry, uid


def as_kubectl(world: World, password: str) -> None:
    """Changes the password alone: the verdict on the earlier one stays on the resource."""
    found = world.cast.find("r")
    services().store.set_password(found.key, password, uid=found.uid, verdict=found.verification)
    assert world.cast.find("r").verification.at
