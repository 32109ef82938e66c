"""测试连接 of a stored registry that takes long, or that is changed, deleted or cut off meanwhile."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from registries import wiring
from registries.domain.errors import Problem
from registries.domain.query import Criteria
from registries.domain.registry import Credential, RegistrySecret, VerifyStatus
from registries.limits import Pauses, Rates, StoredBuckets
from registries.models import VerificationRecord
from registries.probe import Reason, Result
from registries.probe.image import ImageQuery
from registries.service.guard import Guard
from registries.service.tests import Tests
from registries.verification import history
from registries.verification.history import NotTested
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.peers.scripted import wait_for
from tests.peers.silent import SilentServers

PATH = "/registries/team-a/harbor-prod/"


def test_a_test_that_is_under_way_shows_in_the_row_and_is_not_started_again(
    cast: Cast, settings: Any
) -> None:
    registry = cast.add()
    services().tests.begin_test(access=cast.access("omar"), key=registry.key)

    row = cast.client("omar", hx_request="true").post(f"{PATH}verify/").content.decode()

    assert "测试中" in row
    assert 'hx-trigger="load delay:' in row
    assert VerificationRecord.objects.count() == 1
    assert "测试中" in cast.client("vic").get("/registries/").content.decode()


def test_a_test_whose_process_died_does_not_run_for_ever(cast: Cast) -> None:
    registry = cast.add()
    services().tests.begin_test(access=cast.access("omar"), key=registry.key)
    VerificationRecord.objects.update(
        started_at=timezone.now() - services().prober.patience - timedelta(seconds=1)
    )

    assert "测试中" not in cast.client("vic").get(f"{PATH}row/").content.decode()


def test_one_that_was_deleted_during_its_test_is_not_brought_back(cast: Cast) -> None:
    registry = cast.add()
    check, _ = services().tests.begin_test(access=cast.access("omar"), key=registry.key)
    services().store.delete(registry.key, uid=registry.uid)
    new = cast.add(display_name="new")

    outcome = services().tests.finish_test(access=cast.access("omar"), check=check)

    assert outcome == NotTested(Problem.RECREATED)
    assert cast.find() == new


def test_one_that_is_recreated_while_the_registry_answers_keeps_its_own_verdict(cast: Cast) -> None:
    old = cast.add()
    kept: list[RegistrySecret] = []

    def prober(credential: Credential, *images: ImageQuery) -> Result:
        services().store.delete(old.key, uid=old.uid)
        kept.append(cast.add(display_name="new"))
        return Result(Reason.OK)

    store = services().store
    service = Tests(
        store=store,
        index=services().index,
        guard=Guard(store, services().audit, transaction.atomic),
        prober=prober,
        images=services().images,
        verdicts=services().verdicts,
        audit=services().audit,
        history=services().history,
        limit=Rates(0, StoredBuckets()),
        restraint=Pauses(),
    )
    check, _ = service.begin_test(access=cast.access("omar"), key=old.key)

    outcome = service.finish_test(access=cast.access("omar"), check=check)

    assert outcome == NotTested(Problem.RECREATED)
    assert cast.find() == kept[0]


def test_one_whose_address_changes_while_it_waits_is_not_made(cast: Cast, probing: Probing) -> None:
    """It waited in the lane of the old address."""
    registry = cast.add(**probing("harbor"))
    check, _ = services().tests.begin_test(access=cast.access("omar"), key=registry.key)
    other = cast.add("other", **probing("basic"))
    moved = replace(check, registry=other)

    assert services().tests.finish_test(access=cast.access("omar"), check=moved) == NotTested(Problem.CHANGED)
    assert cast.find().verification.status is VerifyStatus.UNTESTED


def test_a_password_whose_key_is_lost_says_so(cast: Cast, probing: Probing, settings: Any) -> None:
    cast.add(**probing("harbor"))
    settings.PASSWORD_KEYS = lambda: ["0" * 43 + "="]
    wiring.reset()

    client = cast.client("omar", hx_request="true")
    client.post(f"{PATH}verify/")
    response = client.get(f"{PATH}row/")

    assert "key_missing" not in response.content.decode()
    assert "\\u5bc6\\u94a5" in response["HX-Trigger"] or "密钥" in response["HX-Trigger"]
    assert cast.find().verification.status is VerifyStatus.UNTESTED


def test_only_the_newest_tests_are_remembered(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT", 20)
    registry = cast.add()
    access = cast.access("omar")
    for _ in range(25):
        check, _new = services().tests.begin_test(access=access, key=registry.key)
        services().history.finish(check, Result(Reason.OK))

    assert VerificationRecord.objects.filter(uid=registry.uid).count() == 20


@pytest.mark.django_db(transaction=True)
def test_ten_tests_that_hang_hold_no_page_up(
    transactional_db: None,
    probing: Probing,
    silent_servers: SilentServers,
    settings: Any,
    request: pytest.FixtureRequest,
) -> None:
    settings.TEST_THREADS = 16
    wiring.reset()
    cast: Cast = request.getfixturevalue("cast")
    client = cast.client("olive", hx_request="true")
    for number, address in enumerate(silent_servers(10)):
        cast.add(f"r{number}", domain=address)

    for number in range(10):
        assert "测试中" in client.post(f"/registries/team-a/r{number}/verify/").content.decode()
    listed = client.get("/registries/").content.decode()

    assert listed.count("pill-busy") == 10, "the list is answered while all ten hang"
    assert sum(it.name.startswith("test-") for it in threading.enumerate()) >= 10
    assert wait_for(lambda: silent_servers.connected() == 10)
    silent_servers.hang_up()  # no timeout could be short for the test and long enough for the ten to be seen together
    assert wait_for(lambda: not services().history.under_way([it.uid for it in _all(cast)]))
    assert {it.verification.reason for it in _all(cast)} == {"connection_reset"}


def _all(cast: Cast) -> tuple[RegistrySecret, ...]:
    return services().index.matching(access=cast.access("olive"), criteria=Criteria())
