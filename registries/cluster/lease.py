"""Which of several replicas works in the background: the holder of a Lease. May import client.py, failures.py
and the errors.

As client-go does it: a holder renews; another takes it over when it was not renewed for a while by that one's own
clock, so that clocks need not agree. Every change carries the version that was read, so that one wins.
"""

import logging
import time
from datetime import UTC, datetime

from registries.cluster.connection import Connection, Json
from registries.cluster.failures import NO_NAMESPACE, TERMINATING
from registries.domain.errors import AlreadyExists, Conflict, ConsoleError, NotFound, Problem, Unavailable

log = logging.getLogger(__name__)

DURATION = 15.0
"""Seconds without a renewal after which a lease is free."""
RENEWAL = 5.0


class Lease:
    """For one thread. `identity` names this process among all replicas. `problem` is why nobody can have it, as it was
    last told here: a code of failures.py, None when it is ours or another one's."""

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
        """Take or renew it; to be called about every RENEWAL seconds. False while another one has it."""
        begun = time.monotonic()
        try:
            held = self._try()
        except (AlreadyExists, Conflict) as error:
            held = False  # another one was faster
            self._told(TERMINATING if error.problem == TERMINATING else None)
        except ConsoleError as error:
            self._told(error.code)
            return self.is_held  # not heard of: whoever had it still has it until it runs out
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
        """Whether it is surely still ours."""
        return time.monotonic() < self._held_until

    def release(self) -> None:
        """So that another one need not wait; best effort."""
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
                raise Unavailable(self.namespace, NO_NAMESPACE) from None
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
