"""Maintains the pull secrets in the background, whoever creates or changes a RegistrySecret or its Secret.

Each change from the watches is handled at once, but what this process wrote by itself needs no look. All pull secrets
are checked from time to time as well: the console may lack the right to watch Secrets, and a foreign Secret that goes
away is in no watch. Only one replica does this, the holder of the lease.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from registries.cluster.lease import RENEWAL, Lease
from registries.domain.errors import ConsoleError, NotFound, Problem, Unavailable
from registries.domain.registry import Key
from registries.pull_secrets.due import Due
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.secret import PullSecrets

log = logging.getLogger(__name__)

SWEEP = 600.0
"""Seconds between two checks of all pull secrets."""
RETRY, RETRY_PASSING = 30.0, 2.0
"""Seconds before a retry; and after an error that is about to pass."""
GATHER = 0.3
"""Seconds between the change of a Secret and its check, so that a burst of changes is one check. A registry that this
process is writing waits as long: its Secret is written next."""


class Watching(Protocol):
    """A thread that reports changes of Secrets (stores/cluster/watch.py)."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Reconciler:
    """One daemon thread. `known` returns all existing keys. `watchers` makes the watchers for a new lease holder; they
    call its argument with each key, and the resource version of the Secret, "" for one that is gone."""

    def __init__(
        self,
        secrets: PullSecrets,
        lease: Lease,
        known: Callable[[], Iterable[Key]],
        watchers: Callable[[Callable[[Key, str], None]], Sequence[Watching]],
    ) -> None:
        self._secrets = secrets
        self._lease = lease
        self._known = known
        self._watchers = watchers
        self._watching: Sequence[Watching] = ()
        self._due = Due()
        self._unchecked: dict[Key, None] = {}
        self._seen: dict[Key, str] = {}
        self._versions: dict[Key, str] = {}
        self._right: dict[Key, tuple[str, str]] = {}
        """The generation of a registry and the version of its Secret that this process wrote for it."""
        self._writing: Counter[Key] = Counter()
        self._woken = threading.Condition()
        self._stopped = False
        self._refused: Problem | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="pull secrets", daemon=True).start()

    def stop(self) -> None:
        with self._woken:
            self._stopped = True
            self._woken.notify()

    def problem(self) -> Unavailable | None:
        """Why no replica holds the lease; the subject is the namespace of the lease."""
        code = self._lease.problem
        return Unavailable(self._lease.namespace, code) if code else None

    def touch(self, key: Key, generation: str, *, urgent: bool = True) -> None:
        """Queues a registry, unless it was queued in this generation before. "" always queues it.

        Urgent ones come first.
        """
        with self._woken:
            if generation and self._seen.get(key) == generation:
                return
            self._seen[key] = generation
            if urgent:
                self._due.put(key, time.monotonic() + GATHER if key in self._writing else 0.0)
            else:
                self._unchecked[key] = None
            self._woken.notify()

    @contextmanager
    def writing(self, key: Key) -> Iterator[None]:
        """This process writes a registry, and its Secret after it."""
        with self._woken:
            self._writing[key] += 1
        try:
            yield
        finally:
            with self._woken:
                self._writing -= Counter({key: 1})

    def written(self, key: Key, generation: str, version: str) -> None:
        """Notes that this process wrote the Secret for a registry in this generation. Their events need no check."""
        with self._woken:
            self._right[key] = generation, version

    def changed(self, key: Key, version: str) -> None:
        """Queues a registry whose Secret was changed or deleted, by anybody."""
        with self._woken:
            self._versions[key] = version
            self._due.put_earlier(key, time.monotonic() + GATHER)
            self._woken.notify()

    def _run(self) -> None:
        next_sweep, next_renewal = 0.0, 0.0
        while not self._stopped:
            now = time.monotonic()
            if now >= next_renewal:
                leading = self._lease.is_held
                held = self._lease.hold()
                next_renewal = now + RENEWAL
                if held and not leading:
                    next_sweep = 0.0  # another replica handled the changes before
            self._watch(self._lease.is_held)
            if not self._lease.is_held:
                self._rest(next_renewal, forget=True)
                continue
            if now >= next_sweep:
                next_sweep = now + SWEEP
                self._look_at_all()
            self._work(next_renewal)
            self._rest(next_renewal)
        self._watch(False)
        if self._lease.is_held:
            self._lease.release()

    def _watch(self, wanted: bool) -> None:
        if wanted and not self._watching:
            self._watching = self._watchers(self.changed)
            for watcher in self._watching:
                watcher.start()
        elif not wanted:
            for watcher in self._watching:
                watcher.stop()
            self._watching = ()

    def _look_at_all(self) -> None:
        known = set(self._known())
        with self._woken:
            self._seen, self._versions = (
                {k: it for k, it in its.items() if k in known} for its in (self._seen, self._versions)
            )
            self._right = {key: it for key, it in self._right.items() if key in known}
            self._unchecked |= dict.fromkeys(known)

    def _work(self, until: float) -> None:
        """Handles due registries until the lease has to be renewed."""
        while time.monotonic() < until and not self._stopped:
            with self._woken:
                key = self._due.take(time.monotonic())
                is_due = key is not None
                if key is None and self._unchecked:
                    key = next(iter(self._unchecked))
                    is_due = self._due.drop(key)
                if key is None:
                    return
                unchecked = key in self._unchecked
                self._unchecked.pop(key, None)
                own = self._right.get(key) == (self._seen.get(key), self._versions.get(key))
            if unchecked or not (is_due and own):
                self._ensure(key)

    def _ensure(self, key: Key) -> None:
        try:
            state = self._secrets.ensure(key)
        except NotFound:
            return
        except ConsoleError as error:
            self._again(key, RETRY_PASSING if isinstance(error, Unavailable) and error.passing else RETRY)
            if error.code != self._refused:  # one line in the log, not one per registry
                self._refused = error.code
                log.warning("pull secrets cannot be kept: %s (%s)", error.code, key)
        except Exception:
            self._again(key, RETRY)
            log.exception("the pull secret of %s failed", key)
        else:
            self._refused = None
            if state is PullSecret.FOREIGN:
                log.info("a Secret named %s is somebody else's and was left alone", key)
            elif state is not PullSecret.READY:  # for example, a finalizer keeps the old one
                self._again(key, RETRY)

    def _again(self, key: Key, after: float) -> None:
        with self._woken:
            self._right.pop(key, None)
            self._due.put_later(key, time.monotonic() + after)

    def _rest(self, until: float, *, forget: bool = False) -> None:
        """Waits until a registry or the lease is due. `forget` clears the queue, for a replica without the lease."""
        with self._woken:
            if forget:
                self._due.clear()
                self._unchecked.clear()
            now = time.monotonic()
            until = min(until, self._due.first(until))
            if not self._stopped and until > now and not self._unchecked:
                self._woken.wait(until - now)
