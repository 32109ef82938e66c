"""Many tests at once: one at a time for a registry, and so many for a run."""

import time
from typing import Any

import pytest
from django.utils import timezone

from registries import wiring
from registries.domain.errors import Conflict
from registries.models import Run, RunItem, VerificationRecord
from registries.runs import heartbeat
from registries.runs.run import ItemState, RunState
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.peers.scripted import wait_for
from tests.peers.silent import SilentServers
from tests.web.many_tests import PATH, begin, latest


@pytest.fixture
def threaded(
    transactional_db: None,
    settings: Any,
    probing: Probing,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Cast:
    settings.TEST_THREADS = 16
    settings.RUN_TESTS = 4
    settings.PROBE_CONNECT_TIMEOUT = settings.PROBE_READ_TIMEOUT = settings.PROBE_TIMEOUT = 60.0
    monkeypatch.setattr(
        heartbeat, "BEAT", 0.0
    )  # a cancelled run begins nothing more, not even for two seconds
    wiring.reset()
    cast: Cast = request.getfixturevalue("cast")
    return cast


@pytest.mark.django_db(transaction=True)
def test_at_most_so_many_at_once_one_at_a_time_per_registry_and_cancel_begins_no_more(
    threaded: Cast, silent_servers: SilentServers
) -> None:
    for number, address in enumerate(silent_servers(8)):
        for twin in ("a", "b"):
            threaded.add(f"r{number}-{twin}", domain=address)
    client = threaded.htmx()

    shown = begin(client, query="")
    assert "测试中" in shown
    assert "停止" in shown
    assert wait_for(lambda: silent_servers.connected() == 4)
    time.sleep(0.5)
    names = set(VerificationRecord.objects.filter(finished_at__isnull=True).values_list("name", flat=True))
    assert len(names) == 4, "no more than RUN_TESTS"
    assert len({name[:2] for name in names}) == 4, "no two of one registry"
    assert "正在测试：0 / 16" in client.get("/registries/", headers={"hx-request": ""}).content.decode()

    again = client.post(PATH, {"query": ""}).content.decode()
    assert "已有批量测试正在进行" in again
    assert Run.objects.count() == 1

    cancelled = client.post(f"{PATH}{latest().pk}/cancel/").content.decode()
    assert "测试已停止" in cancelled
    silent_servers.hang_up()
    done = RunItem.objects.filter(state=ItemState.DONE, reason="connection_reset")
    assert wait_for(lambda: done.count() == 4), "those under way are recorded"
    time.sleep(0.5)
    assert under_way() == 0
    assert RunItem.objects.filter(state=ItemState.WAITING).count() == 12, "the others wait"
    assert latest().state == RunState.CANCELLED


def under_way() -> int:
    return VerificationRecord.objects.filter(finished_at__isnull=True).count()


def test_somebody_else_may_have_a_run_at_the_same_time(cast: Cast, probing: Probing) -> None:
    it = cast.add(**probing("harbor"))
    run = services().runs["verify"].propose(access=cast.access("olive"), registries=[it])
    Run.objects.filter(pk=run).update(state=RunState.RUNNING, beat_at=timezone.now())

    services().runs["verify"].propose(access=cast.access("omar"), registries=[it])
    with pytest.raises(Conflict, match="run_under_way"):
        services().runs["verify"].propose(access=cast.access("olive"), registries=[it])
