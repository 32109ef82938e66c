"""What the tests of runs with a new password share: beginning one, stopping one, and what is stored then."""

from typing import Any
from uuid import UUID

import pytest

from registries.domain.registry import Key, RegistrySecret
from registries.models import Rotation, RotationTarget, RunItem
from registries.runs.run import RunState
from registries.service.replacement import Replacement
from registries.wiring import services
from tests.cast import Cast

NAMES = ("harbor-prod", "second", "third")
OLD = "old-password"
THEIRS = "of-somebody-else"


def begin(
    cast: Cast, registries: list[RegistrySecret], password: str, person: str = "nina", **more: Any
) -> UUID:
    return services().rotations.begin(
        access=cast.access(person), registries=registries, changes={"password": password}, **more
    )


def passwords() -> list[str]:
    return [stored(name) for name in NAMES]


def stored(name: str) -> str:
    key = Key("team-a", name)
    return services().store.credential(key, uid=services().store.get(key).uid).password


def outcomes(run: UUID) -> list[tuple[str, str, str]]:
    return list(RunItem.objects.filter(run=run).order_by("pk").values_list("state", "reason", "problem"))


def state(cast: Cast, run: UUID) -> RunState:
    return services().rotations.runs.view(access=cast.access("nina"), run_id=run).state


def kept() -> int:
    return Rotation.objects.count() + RotationTarget.objects.count()


def theirs(registry: RegistrySecret, password: str = THEIRS) -> None:
    services().store.set_password(registry.key, password, uid=registry.uid)


def stopped(cast: Cast, three: list[RegistrySecret], password: str) -> UUID:
    """A run that stopped at the second: somebody else changed its password after the run had read it."""
    real = Replacement.before
    calls: list[str] = []

    def read(self: Replacement, *, access: Any, key: Key, uid: str) -> Any:
        draft = real(self, access=access, key=key, uid=uid)
        calls.append(key.name)
        if calls == list(NAMES):
            theirs(three[1])
        return draft

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replacement, "before", read)
        return begin(cast, three, password)
