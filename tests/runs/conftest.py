"""Registries with one credential, for runs that change it."""

import pytest

from registries.domain.registry import RegistrySecret
from registries.domain.resource import PREFIX
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.runs.rotations import NAMES, OLD


@pytest.fixture
def three(cast: Cast, probing: Probing) -> list[RegistrySecret]:
    """A registry and two copies, all with a password that is not right any more."""
    values = {**probing("harbor"), "password": OLD}
    added = [cast.add(name, **values, display_name=f"{name}-name") for name in NAMES]
    long_ago = {f"{PREFIX}password-set-at": "2020-01-01T00:00:00Z"}
    return [services().store.annotate(it.key, long_ago, uid=it.uid) for it in added]
