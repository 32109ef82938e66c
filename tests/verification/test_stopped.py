"""A process that is stopped in the middle of a test, and goes on long after its time limit."""

import time
from typing import Any

import pytest

from registries.domain.errors import Problem, Unavailable
from registries.domain.registry import Credential
from registries.probe import Reason
from registries.verification.prober import BEYOND
from registries.wiring import services
from tests.peers.scripted import Reply, Request, registry_ok, scripted, unauthorized


@pytest.mark.parametrize("sleep", [0.0, 2 * BEYOND])
def test_a_test_whose_process_slept_is_no_verdict(
    sleep: float, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verdict would say that a healthy registry times out."""
    settings.PROBE_ALLOW_LOOPBACK, settings.PROBE_TIMEOUT = True, 60.0
    clock, slept = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock() + slept[0])

    def registry(request: Request) -> Reply:
        slept[0] = settings.PROBE_TIMEOUT + sleep
        return registry_ok() if request.authorization else unauthorized('Basic realm="x"')

    with scripted(registry) as server:
        credential = Credential(server.address, "u", "p")
        if sleep:
            with pytest.raises(Unavailable, match=Problem.INTERRUPTED):
                services().prober(credential)
        else:
            assert services().prober(credential).reason is Reason.TIMEOUT, "only a slow registry"
