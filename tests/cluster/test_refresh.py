"""The token of the console: looked at again from time to time, not with every call."""

import json
from pathlib import Path

import pytest
from kubernetes.client import Configuration

from registries.cluster.configuration import configuration

KUBECONFIG = {
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
    "users": [{"name": "u", "user": {"token": "t-1"}}],
}


def test_many_calls_look_once_at_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(KUBECONFIG))
    moment = 0.0
    monkeypatch.setattr("registries.cluster.connection.time.monotonic", lambda: moment)
    given = configuration(file)
    looks: list[str] = []
    setting = Configuration.__setattr__

    def counted(self: Configuration, name: str, value: object) -> None:
        if name == "host":
            looks.append(name)
        setting(self, name, value)

    monkeypatch.setattr(Configuration, "__setattr__", counted)
    for seconds in (0.0, 0.1, 0.2, 1.5, 1.6):
        moment = seconds
        for _ in range(3):
            assert given.auth_settings()["BearerToken"]["value"] == "Bearer t-1"

    assert len(looks) == 2, "one a second at most"
