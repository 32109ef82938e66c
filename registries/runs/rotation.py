"""The person's side of runs that change a credential: begin, try again, roll back, leave."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from registries.domain.access import Access
from registries.domain.errors import Conflict, ConsoleError, NotFound, Problem, Unavailable
from registries.domain.registry import Draft, RegistrySecret
from registries.runs.engine import AccessNow, Runs
from registries.runs.rotation_queue import SKIPPED
from registries.runs.rotation_rows import RotationRows, forget_stopped
from registries.runs.threads import repeat
from registries.service.passwords import Passwords
from registries.service.replacement import Replacement

LOOK = 5.0
"""Seconds between two looks for lost runs."""

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Rotations:
    """The person's side of these runs. The methods with `run_id` raise the errors of Runs."""

    runs: Runs
    _rows: RotationRows
    replacement: Replacement
    _passwords: Passwords

    def begin(
        self,
        *,
        access: Access,
        registries: Sequence[RegistrySecret],
        changes: Mapping[str, Any],
        generation: str | None = None,
        anyway: bool = False,
        access_now: AccessNow | None = None,
        sealed: Callable[[], bool] | None = None,
        within: timedelta = timedelta(),
        robots: Sequence[str] = (),
    ) -> UUID:
        """Starts to change these registries, the first one first. `changes` are fields of Draft. With `anyway`, a
        first one that does not connect keeps its new values.

        `sealed` is called once the values are safe and before anything is written, and takes up to `within`. It returns
        whether the old values are certainly of no use any more. After an error of it, nothing is kept. When it is not
        certain, or this process dies meanwhile, a test decides. `robots` are the robot account of
        Harbor that was created for this, and the one before.

        Reads everything as the person before anything is written: NotFound, Forbidden, Conflict, Unavailable;
        Conflict `changed` when the first has another generation; Invalid for the password; TooManyRequests.
        """
        self.runs.require_share(access)
        if generation not in (None, registries[0].generation):
            raise Conflict(str(registries[0].key), Problem.CHANGED)
        old: dict[str, Draft] = {}
        for it in registries:
            old[it.uid] = self.replacement.before(access=access, key=it.key, uid=it.uid)
            if "password" in changes:
                self._passwords.require_password(it, changes["password"])
        forget_stopped(access.owner)
        run_id = self.runs.propose(access=access, registries=registries)
        by_token, doubtful = access_now is not None, sealed is not None
        self._rows.add(
            run_id, changes, old, anyway=anyway, by_token=by_token, doubtful=doubtful, robots=robots
        )
        before = partial(self._seal, run_id, sealed)
        self.runs.start(access=access, run_id=run_id, access_now=access_now, before=before, within=within)
        return run_id

    def _seal(self, run_id: UUID, sealed: Callable[[], bool] | None) -> None:
        """Calls `sealed` of `begin`."""
        try:
            certain = sealed is not None and sealed()
        except BaseException:
            self._rows.forget(run_id)
            raise
        if certain:
            self._rows.keep_new(run_id)

    def retry(self, *, access: Access, run_id: UUID, access_now: AccessNow | None = None) -> None:
        """Goes on with what failed or waits. Conflict `already_running`, `password_forgotten`."""
        self._require_kept(access, run_id)
        self._continue(access, run_id, access_now, self._rows.retry)

    def resume_lost(self, access_now: AccessNow) -> None:
        """Goes on with the runs whose process was lost, with the rights that their people have now.

        A person of a cluster has none without a session: such a run waits for its person.
        """
        for run_id, person, owner in self._rows.lost():
            with suppress(ConsoleError):  # also where another process was first
                access = access_now(Access(person=person, owner=owner))
                self.runs.start(access=access, run_id=run_id)
                log.info("goes on with the change of passwords %s of %s", run_id, person)

    def retry_undecided(self, access_now: AccessNow) -> None:
        """Tries again where a new secret of Harbor could not be stored or tested, with the rights that the person has
        now. Which secret is right is no choice of a person, and no pod can pull meanwhile."""
        for run_id, person, owner in self._rows.undecided():
            with suppress(ConsoleError):  # also where another process was first
                access = access_now(Access(person=person, owner=owner))
                self._continue(access, run_id, None, self._rows.retry)
                log.info("tries again to store the new secret of the run %s of %s", run_id, person)

    def keep_resuming(self, access_now: AccessNow) -> None:
        """Looks for lost and undecided runs for ever, in its own thread. Several processes may do so at once."""

        def look() -> None:
            self.resume_lost(access_now)
            self.retry_undecided(access_now)

        repeat(look, LOOK, "going on with changes of passwords failed")

    def roll_back(self, *, access: Access, run_id: UUID, access_now: AccessNow | None = None) -> None:
        """Writes the old values back to everything that was changed. Conflict as for `retry`."""
        self._require_kept(access, run_id)
        self._continue(access, run_id, access_now, self._rows.undo)

    def _continue(
        self, access: Access, run_id: UUID, access_now: AccessNow | None, prepare: Callable[[UUID], None]
    ) -> None:
        def prepared() -> None:
            prepare(run_id)
            self._rows.continued(run_id, by_token=access_now is not None)

        self.runs.start(access=access, run_id=run_id, access_now=access_now, prepare=prepared)

    def leave(self, *, access: Access, run_id: UUID) -> None:
        """Ends a stopped run without further writes, and forgets the passwords. Conflict as for `retry`."""
        self._require_kept(access, run_id)
        self.runs.close(access=access, run_id=run_id, outcome=SKIPPED)

    def is_undone(self, *, access: Access, run_id: UUID) -> bool:
        """Whether the run writes the old values back. False once the values are forgotten."""
        self.runs.view(access=access, run_id=run_id)
        with suppress(NotFound):
            return self._rows.undoing(run_id)
        return False

    def is_doubtful(self, *, access: Access, run_id: UUID) -> bool:
        """Whether only a test can tell which values are right at the registry. False once the values are forgotten."""
        self.runs.view(access=access, run_id=run_id)
        with suppress(NotFound, Unavailable):
            return self._rows.doubtful(run_id)
        return False

    def _require_kept(self, access: Access, run_id: UUID) -> None:
        self.runs.view(access=access, run_id=run_id)
        if not self._rows.is_kept(run_id):
            raise Conflict(str(run_id), Problem.PASSWORD_FORGOTTEN)
