"""Leader election with a Lease: of several replicas, only the holder works in the background.

As in client-go, the holder renews the lease. Another replica takes it over when the lease has not changed for DURATION
on the clock of that replica, so that clocks need not agree. Every write carries the version that was read: of several
writers, one wins.
"""

import logging
import time
from datetime import UTC, datetime

from registries.cluster.connection import Connection, Json
from registries.domain.errors import AlreadyExists, Conflict, ConsoleError, NotFound, Problem, Unavailable

log = logging.getLogger(__name__)

DURATION = 15.0
"""Seconds without a renewal until a lease is free."""
RENEWAL = 5.0


class Lease:
    """A lease, for use in one thread. `identity` names this process among all replicas.

    `problem` is the last reason why no replica can hold the lease; None while this or another replica holds it.
    """

    def __init__(self, connection: Connection, namespace: str, name: str, identity: str) -> None:
        self.namespace = namespace
        self.problem: Problem | None = None
        self._connection = connection
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._name = name
        self._identity = identity
        self._seen: tuple[str, float] = ("", 0.0)
        self._held_until = 0.0

    def hold(self) -> bool:
        """Takes or renews the lease; to be called every RENEWAL seconds. False while another replica holds it."""
        begun = time.monotonic()
        try:
            held = self._try()
        except (AlreadyExists, Conflict) as error:
            held = False  # another replica was faster
            self._told(Problem.TERMINATING if error.problem == Problem.TERMINATING else None)
        except ConsoleError as error:
            self._told(error.code)
            return self.is_held  # no answer: the holder keeps the lease until it runs out
        else:
            self._told(None)
        self._held_until = begun + DURATION - RENEWAL if held else 0.0
        return held

    def _told(self, problem: Problem | None) -> None:
        if problem and problem != self.problem:
            told = "nothing is kept in the background: no lease %s in the namespace %s, %s"
            log.warning(told, self._name, self.namespace, problem)
        self.problem = problem

    @property
    def is_held(self) -> bool:
        """Whether this replica certainly holds the lease."""
        return time.monotonic() < self._held_until

    def release(self) -> None:
        """Frees the lease, so that another replica need not wait. Ignores errors."""
        try:
            lease = self._get()
            if _holder(lease) == self._identity:
                self._put(lease, "")
        except ConsoleError:
            return

    def _try(self) -> bool:
        try:
            lease = self._get()
        except NotFound:
            body = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self._name},
                "spec": self._spec(self._identity),
            }
            try:
                self._connection.call("POST", self._collection, subject=self._name, body=body)
            except NotFound:
                raise Unavailable(self.namespace, Problem.NAMESPACE_MISSING) from None
            return True
        version = str(lease["metadata"]["resourceVersion"])
        if version != self._seen[0]:
            self._seen = (version, time.monotonic())
        holder = _holder(lease)
        if holder not in ("", self._identity) and time.monotonic() - self._seen[1] < DURATION:
            return False
        self._put(lease, self._identity)
        return True

    def _get(self) -> Json:
        return self._connection.call("GET", f"{self._collection}/{self._name}", subject=self._name)

    def _put(self, lease: Json, holder: str) -> None:
        body = {**lease, "spec": {**(lease.get("spec") or {}), **self._spec(holder)}}
        self._connection.call("PUT", f"{self._collection}/{self._name}", subject=self._name, body=body)

    @staticmethod
    def _spec(holder: str) -> Json:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"holderIdentity": holder, "leaseDurationSeconds": round(DURATION), "renewTime": now}


def _holder(lease: Json) -> str:
    return str((lease.get("spec") or {}).get("holderIdentity") or "")
