"""Certificate authorities, one of them trusted. A test module names this file in `pytest_plugins`."""

from dataclasses import replace

import pytest

from registries.probe import Policy
from tests.peers.certificates import Authority
from tests.peers.scripted import HERE


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other-authority"), "Other CA")


@pytest.fixture
def trusting(authority: Authority) -> Policy:
    return replace(HERE, ca_pem=authority.root.pem)
