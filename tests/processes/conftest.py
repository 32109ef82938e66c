"""What the tests of processes share."""

from pathlib import Path
from typing import Any

import pytest

from console import datadir
from registries import wiring


@pytest.fixture
def keys(tmp_path: Path, settings: Any) -> datadir.KeyFile:
    """The keys of a data folder of its own, with which the services begin anew."""
    datadir.prepare(tmp_path)
    settings.PASSWORD_KEYS = datadir.password_keys(tmp_path)
    wiring.reset()
    return settings.PASSWORD_KEYS
