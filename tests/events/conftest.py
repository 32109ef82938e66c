"""Changes, channels, a clock, and a sender that reaches loopback."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries.events import outbox
from registries.events.change import Change, ChangeKind
from registries.events.channels import ChannelView
from registries.events.message import Message, message
from registries.events.sender import Sender
from registries.models import Delivery
from registries.wiring import services
from tests.cast import Cast
from tests.peers.scripted import HERE

Add = Callable[..., ChannelView]
Move = Callable[[timedelta], None]
WAITING = (outbox.COLLECTING, outbox.DUE)


def change(name: str = "harbor-prod", namespace: str = "team-a", **values: Any) -> Change:
    now = timezone.now()
    fields: dict[str, Any] = {
        "kind": ChangeKind.FAILING,
        "at": now,
        "since": now,
        "uid": f"uid-{namespace}-{name}",
        "namespace": namespace,
        "name": name,
        "host": "harbor.example.com",
        "reason": "bad_credentials",
        **values,
    }
    return Change(**fields)


def told(language: str = "zh", **values: Any) -> Message:
    """The message about one change."""
    return message([change(**values)], language=language, url="https://console.example")


@pytest.fixture
def sender(db: None) -> Sender:
    service = services()
    return Sender(
        service.sealer,
        lambda _namespace: HERE,
        service.metrics,
        "https://console.example",
        lambda: (),
    )


@pytest.fixture
def add_channel(cast: Cast, settings: Any) -> Add:
    settings.NOTIFY_PLAIN_HTTP = True
    settings.NOTIFY_MAIL = "smtp://localhost"

    def add(service: str, namespace: str = "", language: str = "zh", **config: str) -> ChannelView:
        return services().channels.create(
            access=cast.access("olive"),
            namespace=namespace,
            name=f"{service}-{namespace or 'all'}",
            service=service,
            language=language,
            config=config,
        )

    return add


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Move:
    """Moves the time of the console, which stands still otherwise: a slow machine changes no wait."""
    now = [timezone.now()]
    monkeypatch.setattr(timezone, "now", lambda: now[0])

    def move(by: timedelta) -> None:
        now[0] += by

    return move


def drain(sender: Sender, clock: Move) -> int:
    """Sends what is due, with the rests that the services ask for. Returns the number of attempts."""
    attempts = 0
    while (
        sender.send_one() or Delivery.objects.filter(due_at__lte=timezone.now(), state__in=WAITING).exists()
    ):
        attempts += 1
        clock(timedelta(seconds=3))
    return attempts
