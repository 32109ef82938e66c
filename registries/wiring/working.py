"""The threads of one process that test and write beside its requests, and how many of them there are."""

import math

from django.conf import settings

from registries.runs.threads import Background, Lanes
from registries.wiring.base import Foundation, part

DELETED_AT_ONCE = 8
"""Deletions, copies and new passwords at once on a cluster, over all runs. More gain little (kubernetes.md)."""
RUNS_AT_ONCE = 64
"""Runs under way. A run that waits for a thread has no heartbeat and would seem lost."""


class Working(Foundation):
    """The threads, and the lanes of the registries, which tests of every kind share."""

    @part
    def lanes(self) -> Lanes:
        """One lane per registry: tests of every kind take turns in it."""
        return Lanes()

    @part
    def test_threads(self) -> Background:
        """The threads of single tests, which a person waits for: a quarter is kept for people who have none."""
        threads = settings.TEST_THREADS
        return Background(
            threads, "test", reserve=max(1, threads // 4), patience=self.prober.wait, lanes=self.lanes
        )

    @part
    def deletion_threads(self) -> Background | None:
        """The threads that write on a cluster, for runs. A database writes one after the other and has none.

        A run has few items here at a time, and a person few runs: nothing is refused.
        """
        threads = min(settings.TEST_THREADS, DELETED_AT_ONCE)
        return Background(threads, "deletion", most_waiting=math.inf) if self.on_cluster else None

    @part
    def run_threads(self) -> Background:
        """The threads of runs, one for each run: a quarter is kept for people who have none."""
        threads = min(settings.TEST_THREADS, RUNS_AT_ONCE)
        return Background(threads, "run", reserve=max(1, threads // 4))

    @part
    def run_test_threads(self) -> Background:
        """The threads of all tests of all runs of this process. One person alone may have them all."""
        threads = min(settings.TEST_THREADS, settings.RUN_TESTS)
        return Background(threads, "run-test", patience=self.prober.wait, lanes=self.lanes)
