"""A run of tests whose process died: it says so, and goes on where it was."""

from datetime import timedelta

from django.utils import timezone

from registries.domain.registry import VerifyStatus
from registries.models import Run, RunItem
from registries.runs.run import LOST_AFTER, ItemState, RunState
from registries.wiring import services
from tests.cast import Cast, Probing
from tests.web.many_tests import PATH, latest
from tests.web.test_test_many import states


def test_a_run_whose_process_died_is_marked_and_goes_on_where_it_was(cast: Cast, probing: Probing) -> None:
    first, second = cast.add("first", **probing("harbor")), cast.add("second", **probing("harbor"))
    access, runs = cast.access("olive"), services().runs["verify"]
    run = runs.propose(access=access, registries=[first, second])
    long_ago = timezone.now() - LOST_AFTER - timedelta(seconds=1)
    Run.objects.filter(pk=run).update(state=RunState.RUNNING, started_at=long_ago, beat_at=long_ago)
    RunItem.objects.filter(run=run, name="first").update(state=ItemState.DONE, reason="ok", ended_at=long_ago)

    shown = cast.htmx().get(f"{PATH}{run}/").content.decode()
    assert "测试已中断" in shown
    assert "测试已中断，已测试 1 / 2" in cast.client("olive").get("/registries/").content.decode()
    cast.htmx().post(f"{PATH}{run}/start/")

    assert latest().state == RunState.DONE
    assert cast.find("first").verification.status is VerifyStatus.UNTESTED, "it is not tested twice"
    assert cast.find("second").verification.status is VerifyStatus.SUCCESS


def test_what_was_being_tested_when_the_process_died_is_tested_again(cast: Cast, probing: Probing) -> None:
    it = cast.add(**probing("harbor"))
    access, runs = cast.access("olive"), services().runs["verify"]
    run = runs.propose(access=access, registries=[it])
    services().tests.begin_test_of_run(access=access, key=it.key, uid=it.uid)
    long_ago = timezone.now() - LOST_AFTER - timedelta(seconds=1)
    Run.objects.filter(pk=run).update(state=RunState.RUNNING, beat_at=long_ago)

    runs.start(access=access, run_id=run)

    assert states()["harbor-prod"] == (ItemState.DONE, "ok")


def test_a_refusal_from_before_the_interruption_still_counts(cast: Cast, probing: Probing) -> None:
    wrong = [cast.add(f"wrong-{n}", **probing("wrong-password")) for n in range(2)]
    access, runs = cast.access("olive"), services().runs["verify"]
    run = runs.propose(access=access, registries=wrong)
    RunItem.objects.filter(name="wrong-0").update(state=ItemState.DONE, reason="bad_credentials")

    runs.start(access=access, run_id=run)

    assert states()["wrong-1"] == (ItemState.LEFT_ALONE, "bad_credentials")
