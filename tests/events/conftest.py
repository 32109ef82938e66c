"""Changes, channels and a sender that reaches loopback."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from registries.events.change import Change, ChangeKind
from registries.events.channels import ChannelView
from registries.events.sender import Sender
from registries.wiring import services
from tests.cast import Cast
from tests.peers.scripted import HERE


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
def add_channel(cast: Cast, settings: Any) -> Callable[..., ChannelView]:
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
