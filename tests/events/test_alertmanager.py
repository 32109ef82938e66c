"""A real Alertmanager: an alert is firing, is repeated, and is resolved."""

import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from registries.events.change import ChangeKind
from registries.events.channels import ChannelView
from registries.events.sender import Sender
from registries.models import Channel
from tests.events.conftest import change
from tests.peers.parts import require_part
from tests.peers.ports import free_port
from tests.peers.scripted import wait_for


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = require_part("prometheus-alertmanager", install="apt-get install prometheus-alertmanager")
    folder: Path = tmp_path_factory.mktemp("alertmanager")
    (folder / "config.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    url = f"http://127.0.0.1:{(port := free_port())}"
    arguments = [
        f"--config.file={folder / 'config.yml'}",
        f"--storage.path={folder}",
        "--cluster.listen-address=",
    ]
    process = subprocess.Popen(
        [program, *arguments, f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_for(lambda: is_ready(url))
        yield url
    finally:
        process.kill()
        process.wait()


def is_ready(url: str) -> bool:
    with suppress(OSError):
        urllib.request.urlopen(f"{url}/-/ready", timeout=10).close()
        return True
    return False


def alerts(url: str, *, active: bool = True) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=60) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return [it for it in found if it["status"]["state"] == "active"] if active else found


def test_an_alert_fires_is_repeated_and_resolved(
    alertmanager: str, sender: Sender, add_channel: Callable[..., ChannelView]
) -> None:
    channel = Channel.objects.get(pk=add_channel("alertmanager", url=alertmanager).id)

    assert sender.attempt(channel, [change(display_name="", owner="")], "1").ok
    [alert] = alerts(alertmanager)
    assert alert["labels"]["alertname"] == "RegistryConnectionFailed"
    assert alert["labels"]["registry_name"] == "harbor-prod"
    ends = alert["endsAt"]

    sender._failing = lambda: [change()]
    assert sender.repeat_one()
    assert not sender.repeat_one(), "repeated more often than every five minutes"
    [alert] = alerts(alertmanager)
    assert alert["endsAt"] > ends

    now = timezone.now()
    assert sender.attempt(channel, [change(kind=ChangeKind.RECOVERED, since=now)], "2").ok
    assert alerts(alertmanager) == []
