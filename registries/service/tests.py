"""The use cases of testing: of stored registries, singly or in a run, and of what somebody typed. See service.py."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from registries.domain.access import Access, Permission
from registries.domain.errors import UNCERTAIN, Conflict, ConsoleError, Forbidden, LeftAlone, Refused
from registries.domain.registry import (
    Credential,
    Key,
    Verification,
    VerifyStatus,
)
from registries.domain.resource import (
    to_domain,
    verification_annotations,
)
from registries.probe.result import Reason, Result
from registries.probe.schedule import registry_of
from registries.service.reading import Reading
from registries.verification.outcome import Outcome
from registries.verification.records import Action, Check

STORED_LANGUAGE = "zh"
"""verify-message is kept in Chinese, whatever the reader's language (connection-test.md)."""

RATE_LIMIT_PAUSE = 60
"""Seconds that a registry is left alone which is too busy and does not say for how long."""


class Testing(Reading):
    """What a test is allowed to do, and what is written down of it."""

    def require_test(self, *, access: Access, namespace: str) -> None:
        """Whether this person may test in a namespace at all, before what they send is judged: NotFound, Forbidden."""
        self._require(access, Permission.EDIT, Key(namespace, ""), Action.TEST)
        self._require_namespace(access, namespace)

    def begin_test(self, *, access: Access, key: Key) -> tuple[Check, bool]:
        """Say that a test is under way; the second value is False when one already was. TooManyRequests, LeftAlone."""
        self._require(access, Permission.TEST, key, Action.TEST)
        registry = to_domain(self._store.get(key))
        self._leave_alone(registry.address, registry.username)
        self._limit.take(access, key.namespace)
        return self._history.begin(registry, access.person)

    def begin_test_of_run(self, *, access: Access, key: Key, uid: str) -> Check:
        """The same for a run, which limits itself. Conflict `recreated` or `under_way`."""
        self._require(access, Permission.TEST, key, Action.TEST)
        registry = to_domain(self._store.get(key))
        if registry.uid != uid:
            raise Conflict(str(key), "recreated")
        check, new = self._history.begin(registry, access.person)
        if not new:
            raise Conflict(str(key), "under_way")
        return check

    def attempt(self, *, access: Access, check: Check) -> Callable[[], Result]:
        """The probe of a test that was begun, with the credential as it is now; any thread may make the call,
        which touches no storage. NotFound, Conflict, Unavailable, Forbidden."""
        with self._writing(access, Action.TEST, check.key) as store:
            return partial(self._prober, store.credential(check.key, uid=check.uid))

    def record_test(
        self,
        *,
        access: Access,
        check: Check,
        result: Result,
        again: Callable[[ConsoleError], bool] = lambda error: False,
    ) -> Outcome:
        """Record a verdict on the resource that the test was begun with; once more after an error for which `again`
        says so: it may have been recorded already, but the same words a second time are no other ones."""
        outcome = Outcome.of(result)
        patch = verification_annotations(_verification(result))
        doubt = True
        while True:
            try:
                with self._writing(access, Action.TEST, check.key, doubt=doubt) as store:
                    changed = store.annotate(check.key, patch, uid=check.uid)
                    self._audit.record(access, Action.TEST, key=check.key, uid=check.uid, note=outcome.reason)
                    registry = to_domain(changed)
                    self._respect(registry.address, registry.username, result)
                    self._history.finish(check, outcome)
                return outcome
            except ConsoleError as error:
                if not again(error):
                    return self.abandon_test(check=check, error=error)
                doubt = doubt and error.problem != UNCERTAIN

    def abandon_test(self, *, check: Check, error: ConsoleError | None = None) -> Outcome:
        """There is no verdict: the registry is gone, its password cannot be opened, or the test was cut off."""
        role_missing = isinstance(error, Forbidden) and not isinstance(error, Refused)
        problem = Forbidden.reason if role_missing else error.problem or "gone" if error else ""
        outcome = Outcome.abandoned(problem or "interrupted")
        self._history.finish(check, outcome)
        return outcome

    def abandon_lost_tests(self, *, access: Access, uids: Sequence[str]) -> None:
        """The process in which this person's tests of these registries were under way is gone."""
        self._history.lose(access.person, uids, Outcome.abandoned("interrupted"))

    def finish_test(self, *, access: Access, check: Check) -> Outcome:
        """Probe with the stored credential and record the verdict on the resource that was begun with."""
        try:
            result = self.attempt(access=access, check=check)()
        except ConsoleError as error:
            return self.abandon_test(check=check, error=error)
        except BaseException:
            self.abandon_test(check=check)
            raise
        return self.record_test(access=access, check=check, result=result)

    def admit_trial(self, *, access: Access, namespace: str, credential: Credential) -> None:
        """Whether this person may test typed values in a namespace now: NotFound, Forbidden, TooManyRequests,
        LeftAlone."""
        self._require(access, Permission.EDIT, Key(namespace, ""), Action.TRY)
        self._leave_alone(credential.address, credential.username)
        self._limit.take(access, namespace)

    def try_connection(self, *, access: Access, namespace: str, credential: Credential) -> Outcome:
        """Probe values that somebody typed and whose test was admitted; nothing is recorded but that it was done, and
        for how long the registry asked to be left alone."""
        self._require(access, Permission.EDIT, Key(namespace, ""), Action.TRY)
        result = self._prober(credential)
        self._respect(credential.address, credential.username, result)
        outcome = Outcome.of(result)
        self._audit.record(access, Action.TRY, namespace=namespace, note=outcome.reason)
        return outcome

    def _respect(self, address: str, username: str, result: Result) -> None:
        if result.reason is Reason.RATE_LIMITED:
            seconds = result.retry_after or RATE_LIMIT_PAUSE
            self._restraint.note(registry_of(address), username, seconds)

    def _leave_alone(self, address: str, username: str) -> None:
        registry = registry_of(address)
        if seconds := self._restraint.left(registry, username):
            raise LeftAlone(registry, seconds)


def _verification(result: Result) -> Verification:
    return Verification(
        status=VerifyStatus.SUCCESS if result.ok else VerifyStatus.FAILED,
        reason=result.reason.value,
        message=result.message(STORED_LANGUAGE),
        at=datetime.now(UTC),
    )
