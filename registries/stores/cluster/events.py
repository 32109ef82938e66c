"""Kubernetes Events on registries, for `kubectl describe` and `kubectl get events`.

Best effort: a thread writes them with the console's own account. The change itself neither waits for its Event nor
fails with it. Equal Events of a registry are one object with a count. Texts are the console's own: no text of a server
and no value of a registry is in them.
"""

import atexit
import logging
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from socket import gethostname

from registries.cluster import paths
from registries.cluster.connection import JSON, MERGE_PATCH, Connection, Json
from registries.domain.errors import AlreadyExists, Conflict, ConsoleError, NotFound, Problem, Unavailable
from registries.domain.registry import Key, RegistrySecret, VerifyStatus
from registries.domain.resource import API_VERSION, KIND
from registries.domain.writer import CONSOLE
from registries.probe.catalogue import MESSAGES
from registries.probe.reason import Reason

REASON = "ImageManagement"
WAITING = 1_000
"""Distinct Events that wait to be written. Further ones are dropped."""
ATTEMPTS = 10
"""Several processes may count in one Event at once: one of them is always faster than the others."""
READ = 5.0
"""Seconds for an answer."""
REFUSED_FOR = 60.0
"""Seconds without Events in a namespace after the cluster refused one there."""
MANY = 10
"""Events that wait while many registries are changed."""
QUIET, BUSY = 0.5, 10.0
"""Seconds without a change before many Events are written, and the most that the first of them waits."""
PACE = 0.02
"""Seconds between two Events. After many changes at once, the API server has time for the changes first."""
LAST = 2.0
"""Seconds to write what waits when the process ends."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """The values by which Events are equal. `action` is a word for programs, `message` a sentence."""

    key: Key
    uid: str
    action: str
    message: str
    warning: bool = False

    @property
    def name(self) -> str:
        """The name of the Event: the same in every process, and valid for every name of a registry."""
        digest = sha256("\0".join((self.uid, self.action, self.message)).encode()).hexdigest()[:16]
        return f"{self.key.name[:200].rstrip('.-')}.{digest}"


@dataclass(slots=True)
class Times:
    """How often something happened, and when."""

    first: datetime
    last: datetime
    count: int = 1


class Events:
    """The Events of one process. The thread starts with the first note."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed = threading.Condition()
        self._waiting: dict[Note, Times] = {}
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._process = os.getpid()
        self._noted = 0.0
        self._logged: set[str] = set()
        self._refused: dict[str, float] = {}

    def created(self, registry: RegistrySecret) -> None:
        self._note(Note(registry.key, registry.uid, "Create", "Created."))

    def edited(self, before: RegistrySecret | None, after: RegistrySecret) -> None:
        """Names the fields that differ, if the registry was known before."""
        old = before.information if before else {}
        names = [
            name.replace("_", " ") for name, text in after.information.items() if old.get(name, text) != text
        ]
        message = f"Edited: {', '.join(names)}." if names else "Edited."
        self._note(Note(after.key, after.uid, "Edit", message))

    def password_changed(self, registry: RegistrySecret) -> None:
        self._note(Note(registry.key, registry.uid, "ChangePassword", "The password was changed."))

    def deleted(self, key: Key, uid: str, *, held: bool) -> None:
        """`held`: finalizers keep the registry for a while."""
        message = "Marked for deletion. A finalizer keeps it for now." if held else "Deleted."
        self._note(Note(key, uid, "Delete", message))

    def tested(self, before: RegistrySecret | None, after: RegistrySecret) -> None:
        """Notes a verdict that differs from the one before."""
        old, new = before.verification if before else None, after.verification
        if old is None or (old.status, old.reason) == (new.status, new.reason):
            return
        failed = new.status is VerifyStatus.FAILED
        text = f"The connection test failed: {_sentence(new.reason)}." if failed else _passed(after)
        self._note(Note(after.key, after.uid, "Test", text, warning=failed))

    def stop(self) -> None:
        """Writes what waits, for LAST seconds at most, and ends the thread. What is left is dropped."""
        if self._process != os.getpid():
            return  # a fork has neither the thread nor a lock that it can trust
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(LAST)
            atexit.unregister(self.stop)
            self._drop()

    def _note(self, note: Note) -> None:
        at = datetime.now(UTC)
        with self._changed:
            self._noted = time.monotonic()
            if times := self._waiting.get(note):
                times.count, times.last = times.count + 1, at
            elif not self._stopped and len(self._waiting) < WAITING:
                self._waiting[note] = Times(at, at)
                self._start()
                self._changed.notify()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="events", daemon=True)
            self._thread.start()
            atexit.register(self.stop)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopped)
                while not self._stopped and (rest := self._busy()) > 0:
                    self._changed.wait(rest)
                if not self._waiting:
                    return
                note = next(iter(self._waiting))
                times = self._waiting.pop(note)
            try:
                self._write(note, times)
            except Exception:  # the next Event is written, whatever happened to this one
                log.exception("a Kubernetes Event was not written")
            with self._changed:
                self._changed.wait_for(lambda: self._stopped, PACE)

    def _busy(self) -> float:
        """Seconds for which Events wait, because many registries are being changed: these changes go first."""
        if len(self._waiting) <= MANY:
            return 0.0
        first = next(iter(self._waiting.values())).first
        rest = BUSY - (datetime.now(UTC) - first).total_seconds()
        return min(rest, self._noted + QUIET - time.monotonic())

    def _write(self, note: Note, times: Times) -> None:
        namespace = note.key.namespace
        if time.monotonic() < self._refused.get(namespace, 0.0):
            return
        try:
            for _ in range(ATTEMPTS):
                if self._create(note, times) or self._count(note, times):
                    return
        except ConsoleError as error:
            if error.code is Problem.TERMINATING:
                return
            if error.code is Problem.CLUSTER_FORBIDDEN:
                self._refused[namespace] = time.monotonic() + REFUSED_FOR
            elif isinstance(error, Unavailable):
                self._drop()  # each of the others would wait for a timeout
            if error.code not in self._logged:
                self._logged.add(error.code)
                log.warning("no Kubernetes Event was written in the namespace %s: %s", namespace, error.code)

    def _drop(self) -> None:
        with self._changed:
            self._waiting.clear()

    def _create(self, note: Note, times: Times) -> bool:
        """False if the Event exists."""
        path = paths.events_in(note.key.namespace)
        try:
            self._call("POST", path, note, _event(note, times))
        except AlreadyExists:
            return False
        return True

    def _count(self, note: Note, times: Times) -> bool:
        """Adds to the count of an Event. False if it is gone, or if another process was faster.

        The first patch reads: the console has no other need to read Events, and no right to.
        """
        path = f"{paths.events_in(note.key.namespace)}/{note.name}"
        last = {"lastTimestamp": _seconds(times.last)}
        try:
            found = self._call("PATCH", path, note, last)
            version = found["metadata"]["resourceVersion"]
            count = int(found.get("count") or 0) + times.count
            self._call("PATCH", path, note, {"metadata": {"resourceVersion": version}, "count": count})
        except (Conflict, NotFound):
            return False
        return True

    def _call(self, method: str, path: str, note: Note, body: Json) -> Json:
        kind = MERGE_PATCH if method == "PATCH" else JSON
        return self._connection.call(method, path, subject=str(note.key), body=body, kind=kind, read=READ)


def _event(note: Note, times: Times) -> Json:
    """A core/v1 Event, as kubectl of every version shows it."""
    key = note.key
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": note.name, "namespace": key.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": key.namespace,
            "name": key.name,
            "uid": note.uid,
        },
        "reason": REASON,
        "action": note.action,
        "message": note.message,
        "type": "Warning" if note.warning else "Normal",
        "count": times.count,
        "firstTimestamp": _seconds(times.first),
        "lastTimestamp": _seconds(times.last),
        "source": {"component": CONSOLE},
        "reportingComponent": CONSOLE,
        "reportingInstance": gethostname()[:128],
    }


def _passed(registry: RegistrySecret) -> str:
    text = MESSAGES[Reason.OK_UNVERIFIED].en if registry.verification.unproven else ""
    return f"The connection test passed: {text}." if text else "The connection test passed."


def _sentence(code: str) -> str:
    """The text of a reason code. The code itself where the text needs a value of the test."""
    text = MESSAGES[Reason(code)].en if code in list(Reason) else code
    return code if "{" in text else text


def _seconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
