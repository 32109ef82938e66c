"""The use cases of testing: a stored registry, singly or in a run, and values that somebody typed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access, Permission
from registries.domain.errors import (
    Conflict,
    ConsoleError,
    LeftAlone,
    NotFound,
    Problem,
    TooManyRequests,
)
from registries.domain.registry import Credential, Key, RegistrySecret
from registries.index.search import Index
from registries.limits import Pauses, Rates
from registries.probe.result import Reason, Result
from registries.probe.schedule import REFUSED, registry_of
from registries.service.guard import Guard, require_present
from registries.service.images import Images, image_query, saved_queries
from registries.service.verdicts import Verdicts
from registries.stores.base import Store
from registries.verification.history import Check, History, NotTested, Tested, verdict_annotations
from registries.verification.prober import ConnectionTest

RATE_LIMIT_PAUSE = 60
"""Seconds without tests for a registry that is too busy and sends no Retry-After."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Values to test that are not stored. `key` and `uid` are those of the registry that shall have them; a new one has
    only a namespace. `before` is the stored credential, whose password is to be replaced."""

    key: Key
    credential: Credential
    image: str = ""
    uid: str = ""
    before: Credential | None = None


class Tests:
    """What a person may test, and the records of each test."""

    __test__ = False  # pytest takes a class of this name for one of its own

    def __init__(
        self,
        *,
        store: Store,
        index: Index,
        guard: Guard,
        audit: AuditLog,
        history: History,
        prober: ConnectionTest,
        images: Images,
        verdicts: Verdicts,
        limit: Rates,
        restraint: Pauses,
        observer: Callable[[RegistrySecret, Result, datetime], None] = lambda registry, result, at: None,
    ) -> None:
        """`observer` is called with each registry that a verdict was written to, the result and the time."""
        self._store = store
        self._index = index
        self._guard = guard
        self._audit = audit
        self._history = history
        self._prober = prober
        self._images = images
        self.verdicts = verdicts
        self._limit = limit
        self._restraint = restraint
        self._observer = observer

    def require_test(self, *, access: Access, namespace: str) -> None:
        """Raises NotFound or Forbidden unless this person may test in a namespace."""
        self._guard.require(access, Permission.EDIT, Key(namespace, ""), Action.TEST)
        self._index.require_namespace(access, namespace)

    # Stored registries

    def begin_test(self, *, access: Access, key: Key, image: str = "") -> tuple[Check, bool]:
        """Begins a test, of a log-in and then of `image`. The second value is False when one is under way already,
        which is Conflict `under_way` with an image. TooManyRequests, LeftAlone, Conflict `being_deleted`; Invalid for
        the image."""
        self._guard.require(access, Permission.TEST, key, Action.TEST)
        registry = require_present(self._store.get(key))
        if image:
            image_query(registry.address, image)
            if self._history.under_way([registry.uid]):
                raise Conflict(str(key), Problem.UNDER_WAY)
        self._leave_alone(key.namespace, registry.address, registry.username)
        self._count(access, key.namespace)
        return self._history.begin(registry, access.person)

    def begin_test_of_run(self, *, access: Access, key: Key, uid: str) -> Check:
        """Begins a test for a run, which has limits of its own. Conflict `recreated` or `under_way`."""
        self._guard.require(access, Permission.TEST, key, Action.TEST)
        registry = self._store.get(key)
        if registry.uid != uid:
            raise Conflict(str(key), Problem.RECREATED)
        require_present(registry)
        check, new = self._history.begin(registry, access.person)
        if not new:
            raise Conflict(str(key), Problem.UNDER_WAY)
        return check

    def end_test(self, *, uid: str) -> None:
        """Ends a test of values that are not stored any more, whoever started it."""
        self._history.end([uid], NotTested(Problem.CHANGED))

    def attempt(self, *, access: Access, check: Check) -> tuple[Check, Callable[[], Result]]:
        """The probe of a test, for any thread since it touches no storage, and the test to record it for. The errors of
        `credential`."""
        check, credential = self.credential(access=access, check=check)
        return check, partial(self.probe, credential)

    def _probe_of(self, access: Access, credential: Credential, image: str) -> Callable[[], Result]:
        if not image:
            return partial(self.probe, credential)
        return self.image_probe(credential, (image,), self._images.node_platforms(access))

    def image_probe(
        self, credential: Credential, images: Iterable[str], nodes: Mapping[str, int] | None
    ) -> Callable[[], Result]:
        """The probe of a log-in and of images; `nodes` has the number of nodes per platform. Invalid."""
        queries = [image_query(credential.address, it, nodes=nodes) for it in images]
        return partial(self._prober, credential, *saved_queries(credential), *queries)

    def credential(self, *, access: Access, check: Check) -> tuple[Check, Credential]:
        """The credential of a test, as stored now, and the test of it: its verdict is one on this credential. NotFound,
        Conflict, Unavailable, Forbidden.

        Conflict `changed` if the registry has another address than when the test began: the test waited in the lane of
        the old one.
        """
        with self._guard.writing(access, Action.TEST, check.key) as store:
            credential = store.credential(check.key, uid=check.uid)
        if check.registry and registry_of(credential.address) != check.lane:
            raise Conflict(str(check.key), Problem.CHANGED)
        return replace(check, generation=credential.generation), credential

    def record_test(
        self,
        *,
        access: Access,
        check: Check,
        result: Result,
        again: Callable[[ConsoleError], bool] = lambda error: False,
    ) -> Tested:
        """Records a verdict on the resource that was tested, unless the check has been given up as lost meanwhile.

        Retries while `again(error)` is true. Recording is idempotent, so a duplicate write is harmless.
        """
        if not self._history.is_open(check):
            return NotTested(Problem.INTERRUPTED)
        at = datetime.now(UTC)
        patch = verdict_annotations(result, at, check.generation)
        doubt = True
        while True:
            try:
                with self._guard.writing(access, Action.TEST, check.key, doubt=doubt) as store:
                    registry = store.annotate(check.key, patch, uid=check.uid)
                    self._audit.record(access, Action.TEST, key=check.key, uid=check.uid, note=result.reason)
                    self._respect(check.key.namespace, registry.address, registry.username, result)
                    self._history.finish(check, result)
                    current = registry.generation == check.generation
                    if current:  # else the verdict is one on a password that is gone
                        self._observer(registry, result, at)
                if current:
                    self.verdicts.to_copies(access=access, source=registry, result=result, at=at)
                return result
            except ConsoleError as error:
                if not again(error):
                    return self.abandon_test(check=check, error=error)
                doubt = doubt and error.problem != Problem.CLUSTER_UNCERTAIN

    def abandon_test(self, *, check: Check, error: ConsoleError | None = None) -> NotTested:
        """Ends a test without a verdict: the registry is gone, its password does not open, or it was cut off."""
        problem = (
            Problem.GONE if isinstance(error, NotFound) else error.code if error else Problem.INTERRUPTED
        )
        abandoned = NotTested(problem)
        self._history.finish(check, abandoned)
        return abandoned

    def abandon_lost_tests(self, *, access: Access, uids: Sequence[str]) -> None:
        """Ends this person's tests of these registries after their process has died."""
        self._history.lose(access.person, uids, NotTested(Problem.INTERRUPTED))

    def finish_test(self, *, access: Access, check: Check, image: str = "") -> Tested:
        """Probes with the stored credential and records the verdict. A test that waited too long is not made."""
        if not self._history.is_open(check):
            return NotTested(Problem.INTERRUPTED)
        try:
            check, credential = self.credential(access=access, check=check)
            result = self._probe_of(access, credential, image)()
        except ConsoleError as error:
            return self.abandon_test(check=check, error=error)
        except BaseException:
            self.abandon_test(check=check)
            raise
        return self.record_test(access=access, check=check, result=result)

    # Tests by the schedule

    def probe(self, credential: Credential) -> Result:
        """One connection test, in the lane of its registry."""
        images = saved_queries(credential) if credential.probe_image else ()
        return self._prober(credential, *images)

    def keep_result(self, *, check: Check, result: Result) -> None:
        """Ends a test with its result in the history only. The verdict is written once it is confirmed."""
        if check.registry is not None:
            self._respect(check.key.namespace, check.registry.address, check.registry.username, result)
        self._history.finish(check, result)

    # Typed values

    def require_trial(self, *, access: Access, namespace: str) -> None:
        """Raises NotFound or Forbidden unless this person may test typed values. Ask it before they are parsed."""
        self._guard.require(access, Permission.EDIT, Key(namespace, ""), Action.TRY)

    def admit_trial(self, *, access: Access, typed: Typed) -> None:
        """Raises unless this person may test typed values now: NotFound, Forbidden, TooManyRequests, LeftAlone; Invalid
        for the image."""
        namespace, credential = typed.key.namespace, typed.credential
        self.require_trial(access=access, namespace=namespace)
        if typed.image:
            image_query(credential.address, typed.image)
        self._leave_alone(namespace, credential.address, credential.username)
        self._count(access, namespace)

    def try_connection(self, *, access: Access, typed: Typed) -> Result:
        """Probes admitted values. Records that a test was made, and the registry's Retry-After; not the values."""
        namespace, credential = typed.key.namespace, typed.credential
        self.require_trial(access=access, namespace=namespace)
        result = self._probe_of(access, credential, typed.image)()
        self._respect(namespace, credential.address, credential.username, result)
        self._audit.record(access, Action.TRY, key=typed.key, uid=typed.uid, note=result.reason)
        return self._with_old(typed, result)

    def _with_old(self, typed: Typed, result: Result) -> Result:
        """Adds whether the password before works as well, once the new one has connected: until then, a second attempt
        could lock the account. Or that they are the same one."""
        if typed.before is None or not result.proven:
            return result
        if typed.before == typed.credential:
            return replace(result, warnings=(*result.warnings, "old_password_same"))
        old = self.probe(replace(typed.before, probe_image=""))
        self._respect(typed.key.namespace, typed.before.address, typed.before.username, old)
        said = "works" if old.proven else "refused" if old.reason in REFUSED else ""
        return replace(result, warnings=(*result.warnings, f"old_password_{said}")) if said else result

    def _count(self, access: Access, namespace: str) -> None:
        """Counts a test of this person in a namespace. TooManyRequests."""
        if wait := self._limit.wait(f"tests {access.owner} {namespace}"):
            raise TooManyRequests(namespace, retry_after=wait)

    def _respect(self, namespace: str, address: str, username: str, result: Result) -> None:
        """Notes for how long a registry asked to be left alone."""
        if result.reason is Reason.RATE_LIMITED:
            seconds = result.retry_after or RATE_LIMIT_PAUSE
        else:
            seconds = (result.image and result.image.retry_after) or 0
        if seconds:
            self._restraint.note(namespace, registry_of(address), username, seconds)

    def _leave_alone(self, namespace: str, address: str, username: str) -> None:
        registry = registry_of(address)
        if seconds := self._restraint.left(namespace, registry, username):
            raise LeftAlone(registry, seconds)
