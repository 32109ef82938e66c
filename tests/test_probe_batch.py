"""Many tests at once: one at a time per registry, which is left alone once it has refused a user name."""

import threading
import time
from dataclasses import replace

from registries.probe import Job, Lanes, Reason, probe_many
from tests.peers.scripted import HERE, Reply, Request, basic, registry_ok, scripted, unauthorized, wait_for


class Registry:
    """Knows `admin` and `other`; notes how many ask at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def __call__(self, request: Request) -> Reply:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.02)
        with self.lock:
            self.inside -= 1
        right = (basic("admin", "secret"), basic("other", "secret"))
        return registry_ok() if request.authorization in right else unauthorized("Basic")


def test_one_registry_is_tested_once_at_a_time_and_several_side_by_side() -> None:
    one, two = Registry(), Registry()
    with scripted(one) as first, scripted(two) as second:
        jobs = [
            Job((server.port, n), server.address, "admin", "secret", HERE)
            for n in range(4)
            for server in (first, second)
        ]
        outcomes = list(probe_many(jobs, workers=4))
    assert {outcome.key for outcome in outcomes} == {job.key for job in jobs}
    assert all(outcome.result and outcome.result.ok for outcome in outcomes)
    assert (one.most, two.most) == (1, 1)


def test_a_registry_is_left_alone_after_it_refused_a_user() -> None:
    with scripted(Registry()) as server:
        jobs = [
            Job(1, server.address, "admin", "wrong", HERE),
            Job(2, f"http://LOCALHOST.:{server.port}/", "admin", "secret", HERE),
            Job(3, server.address, "other", "secret", HERE),
            Job(4, server.address, "admin", "secret", HERE),
        ]
        outcomes = {outcome.key: outcome for outcome in probe_many(jobs)}
    assert outcomes[1].result is not None
    assert outcomes[1].result.reason is Reason.BAD_CREDENTIALS
    assert (outcomes[2].result, outcomes[2].left_alone) == (None, Reason.BAD_CREDENTIALS)
    assert outcomes[3].result is not None
    assert outcomes[3].result.ok
    assert outcomes[4].left_alone is Reason.BAD_CREDENTIALS
    assert server.authorizations().count(basic("admin", "secret")) == 0


def test_a_rate_limit_is_heeded() -> None:
    with scripted(lambda request: Reply(429)) as server:
        jobs = [Job(n, server.address, "admin", "secret", HERE) for n in range(3)]
        outcomes = list(probe_many(jobs))
    assert [outcome.left_alone for outcome in outcomes] == [None, Reason.RATE_LIMITED, Reason.RATE_LIMITED]
    assert len(server.requests) == 1


def test_a_malformed_address_is_an_outcome_like_any_other() -> None:
    (outcome,) = probe_many([Job("x", "not an address", "admin", "secret", HERE)])
    assert outcome.result is not None
    assert outcome.result.reason is Reason.INVALID_DOMAIN


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(probe_many([])) == []


def test_a_batch_can_be_stopped() -> None:
    with scripted(Registry()) as server:
        jobs = [Job(n, server.address, "admin", "secret", HERE) for n in range(50)]
        outcomes = probe_many(jobs)
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
        asked = len(server.requests)
        time.sleep(0.2)
        assert len(server.requests) <= asked + 2


def test_two_batches_share_their_lanes() -> None:
    registry, lanes = Registry(), Lanes()
    with scripted(registry) as server:
        jobs = [Job(n, server.address, "admin", "secret", HERE) for n in range(4)]
        threads = [threading.Thread(target=lambda: list(probe_many(jobs, lanes=lanes))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert registry.most == 1
    assert wait_for(lambda: len(lanes) == 0), "no lane is kept for a registry that nobody tests"


def test_a_defect_reaches_the_reader_instead_of_a_hung_batch() -> None:
    broken = Job("x", "registry.example", "admin", "secret", replace(HERE, total_timeout=None))  # type: ignore[arg-type]
    failure = None
    try:
        list(probe_many([broken]))
    except TypeError as error:
        failure = error
    assert failure is not None
