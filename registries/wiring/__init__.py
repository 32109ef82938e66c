"""The services of one process, built from settings on first use."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from registries.audit.log import copied_from
from registries.audit.search import deleted_since
from registries.domain.registry import Key
from registries.events import channels
from registries.limits import Pauses, Rates, StoredBuckets
from registries.people.grants import TIDY_EVERY
from registries.runs.clean_up import keep_clean
from registries.runs.engine import Runs
from registries.runs.harbor_secret import HarborSecrets
from registries.runs.image_tests import ImageKind
from registries.runs.kinds import CopyKind, DeleteKind, UndoKind, copies_made
from registries.runs.rotation import Rotations
from registries.runs.rotation_rows import RotationRows, keep_forgetting
from registries.runs.rotation_work import RotateKind
from registries.runs.run import Kind
from registries.runs.single import SingleTests
from registries.runs.threads import Background, repeat
from registries.runs.verify import VerifyKind
from registries.schedule.rows import leave, observe
from registries.schedule.sweep import AT_ONCE as CHECKS_AT_ONCE
from registries.schedule.sweep import Schedule
from registries.service.copies import GUESSES_PER_MINUTE, Copies, Guesses, Likeness
from registries.service.copying import Copying
from registries.service.guard import Guard
from registries.service.images import Images
from registries.service.node_tests import NodeTests
from registries.service.origins import Origins
from registries.service.passwords import Passwords
from registries.service.pull_failures import PodFailures
from registries.service.pull_secret_use import PullSecretUse
from registries.service.registries import Registries
from registries.service.relatives import MissingCopies, Relatives
from registries.service.replacement import Replacement
from registries.service.tests import Tests
from registries.service.undo import Undo
from registries.service.verdicts import Verdicts
from registries.stores.sealing import wait_for_seals
from registries.sync.follow import Follower
from registries.sync.rules import Rules
from registries.sync.writes import Writes
from registries.wiring.admitting import Admitting
from registries.wiring.base import later, part, replaced
from registries.wiring.mirroring import Mirroring
from registries.wiring.telling import Telling
from registries.wiring.working import DELETED_AT_ONCE, Working


class Services(Telling, Mirroring, Admitting, Working):
    """The parts of one process. A fork or a test drops the whole object with `reset`."""

    @part
    def guard(self) -> Guard:
        # A cluster takes no part in a transaction, and one must not stay open while the cluster answers.
        return Guard(self.store, self.audit, nullcontext if self.on_cluster else transaction.atomic)

    @part
    def registries(self) -> Registries:
        parts = (self.store, self.index, self.guard, self.audit, self.guesses, self.undo)
        return Registries(*parts)

    @part
    def passwords(self) -> Passwords:
        return Passwords(self.store, self.guard, self.audit, self.history, leave)

    @part
    def undo(self) -> Undo:
        return Undo(self.store, self.guard, self.audit, self.history, self.trash)

    @part
    def guesses(self) -> Guesses:
        buckets = StoredBuckets()
        return Guesses(Rates(GUESSES_PER_MINUTE, buckets), Rates(1, buckets))

    @part
    def likeness(self) -> Likeness:
        return Likeness(self.store, self.guesses)

    @part
    def copies(self) -> Copies:
        return Copies(self.store, self.index, self.likeness)

    @part
    def verdicts(self) -> Verdicts:
        return Verdicts(self.store, self.index, self.guard, self.likeness)

    @part
    def origins(self) -> Origins:
        return Origins(settings.SECRET_KEY, copied_from)

    @part
    def copying(self) -> Copying:
        at_once = DELETED_AT_ONCE if self.on_cluster else 1
        parts = self.store, self.index, self.guard, self.audit, self.likeness, self.verdicts, self.origins
        return Copying(*parts, at_once)

    @part
    def relatives(self) -> Relatives:
        parts = (self.store, self.index, self.guard, self.likeness, self.registries, self.copying)
        return Relatives(*parts, self.replacement, self.audit, self.origins)

    @part
    def missing_copies(self) -> MissingCopies:
        return MissingCopies(self.index, self.copying, copies_made, deleted_since, self.origins)

    @part
    def tests(self) -> Tests:
        return Tests(
            store=self.store,
            index=self.index,
            guard=self.guard,
            audit=self.audit,
            history=self.history,
            prober=self.prober,
            images=self.images,
            verdicts=self.verdicts,
            limit=Rates(settings.TESTS_PER_MINUTE, StoredBuckets()),
            restraint=self.pauses,
            observer=observe,
        )

    @part
    def images(self) -> Images:
        return Images(self.store, self.index, self.guard)

    @part
    def schedule(self) -> Schedule:
        """The checks that run by themselves."""
        interval, secret, patience = self.check_interval, settings.SECRET_KEY, self.prober.patience
        workers = Background(CHECKS_AT_ONCE, "check", patience=self.prober.wait, lanes=self.lanes)
        return Schedule(self.index, self.store, self.tests, self.pauses, interval, secret, patience, workers)

    @part
    def pull_secrets(self) -> PullSecretUse:
        return PullSecretUse(self.store, self.index, self.guard, self.audit, Rules.binding_changed)

    @part
    def pull_failures(self) -> PodFailures:
        return PodFailures(self.store, self.index, self.audit, timezone.localtime)

    @part
    def node_tests(self) -> NodeTests:
        return NodeTests(self.store, self.guard, self.audit, timezone.localtime, later, settings.NODE_GROUPS)

    @part
    def single_tests(self) -> SingleTests:
        return SingleTests(self.tests, self.test_threads, self.prober.patience)

    @part
    def runs(self) -> dict[str, Runs]:
        """The runs of every kind, by the kind's name. A new kind is one more entry here."""
        writers = self.deletion_threads
        rotating = (self.rotation_rows, self.replacement, self.tests, self.single_tests)
        kinds: tuple[Kind[Any], ...] = (
            DeleteKind(self.registries, self.undo, writers),
            UndoKind(self.undo),
            CopyKind(self.copying, writers),
            VerifyKind(*self._testing),
            RotateKind(*rotating, self.run_test_threads, writers),
        )
        return {kind.name: self._runs_of(kind) for kind in kinds}

    @part
    def verify_runs(self) -> Runs:
        """The runs of `manage.py verify`: each credential is tested once."""
        return self._runs_of(VerifyKind(*self._testing, self.schedule.sharing))

    def image_runs(self, images: Mapping[Key, Sequence[str]]) -> tuple[Runs, ImageKind]:
        """The runs of `manage.py verify` that look at these images of each registry, and their kind, which keeps the
        answers."""
        kind = ImageKind(*self._testing, platforms=self.images.node_platforms, images=images)
        return self._runs_of(kind), kind

    @property
    def _testing(self) -> tuple[Registries, Tests, Pauses, Background, int]:
        """The parts of every kind of run that tests."""
        at_once = max(1, settings.RUN_TESTS)
        return self.registries, self.tests, self.pauses, self.run_test_threads, at_once

    def _runs_of(self, kind: Kind[Any]) -> Runs:
        return Runs(kind, self.run_threads, self.index.freshness, self.people.access_now, transaction.atomic)

    @part
    def replacement(self) -> Replacement:
        parts = self.store, self.index, self.guard, self.passwords, self.audit, self.history
        return Replacement(*parts, replaced)

    @part
    def sync_rules(self) -> Rules:
        """Registries that are kept in sync in other namespaces."""
        return Rules(self.index, self.audit, self.sync_writes, not self.by_cluster)

    @part
    def sync_writes(self) -> Writes:
        parts = self.store, self.guard, self.copying, self.replacement, self.pull_secrets
        return Writes(*parts, self.likeness)

    @part
    def follower(self) -> Follower:
        return Follower(self.index, self.sync_writes, self.people.access_now)

    @part
    def rotation_rows(self) -> RotationRows:
        return RotationRows(self.sealer)

    @part
    def rotations(self) -> Rotations:
        """Changes of a credential and its copies."""
        return Rotations(self.runs["rotate"], self.rotation_rows, self.replacement, self.passwords)

    @part
    def harbor_secrets(self) -> HarborSecrets:
        return HarborSecrets(self.passwords, self.tests, self.rotations, self.audit, self.prober.policy_for)

    def start(self) -> None:
        """Begins what runs beside the requests. Call it in the process that answers requests."""
        clean_up: Callable[[], None] = partial(keep_clean, settings.RETENTION_DAYS, self.undo_lasts)
        resume: Callable[[], None] = partial(self.rotations.keep_resuming, self.people.access_now)
        following = () if self.by_cluster else (self.follower.run,)
        failure = "forgetting the sessions that are over failed"
        tidying = (partial(repeat, it, TIDY_EVERY, failure) for it in self.people.upkeep)
        for upkeep in (clean_up, keep_forgetting, resume, *tidying, *following, *self.schedule.upkeep):
            threading.Thread(target=upkeep, name="upkeep", daemon=True).start()
        self.sender.start()
        if self.on_cluster:
            threading.Thread(target=self.index.fill, name="first list", daemon=True).start()

    def stop(self) -> None:
        """Ends what runs beside the requests, in a process that goes on without answering any."""
        self.store.stop()

    def reseal(self) -> tuple[int, int, int, int]:
        """Brings every seal under the newest key: the numbers of passwords, deleted registries, credentials of
        sessions, and channels. The passwords of runs that change some count as well.

        All, whatever the settings say: a database may have seen other settings. TimeoutError before anything is sealed
        when another process does not end a transaction with a seal.
        """
        from registries.people.cluster_sessions import reseal_credentials

        wait_for_seals()
        return (
            self.embedded_store.reseal() + self.rotation_rows.reseal(),
            self.trash.reseal(),
            reseal_credentials(self.sealer),
            channels.reseal(self.sealer),
        )


_current: list[Services] = [Services()]


def services() -> Services:
    """The parts of this process."""
    return _current[0]


def reset() -> None:
    """Drops every part: in a child process, which lacks the parent's threads, and in tests."""
    _current[0] = Services()


os.register_at_fork(after_in_child=reset)
