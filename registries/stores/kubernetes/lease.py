"""Which of several replicas works in the background: the holder of a Lease. May import client.py and the errors.

As client-go does it: a holder renews; another takes it over when it was not renewed for a while by that one's own
clock, so that clocks need not agree. Every change carries the version that was read, so that one wins.
"""

import logging
import time
from datetime import UTC, datetime

from registries.errors import AlreadyExists, Conflict, ConsoleError, NotFound
from registries.stores.kubernetes.client import Connection, Json

log = logging.getLogger(__name__)

DURATION = 15.0
"""Seconds without a renewal after which a lease is free."""
RENEWAL = 5.0


class Lease:
    """For one thread. `identity` names this process among all replicas."""

    def __init__(self, connection: Connection, namespace: str, name: str, identity: str) -> None:
        self._connection = connection
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._name = name
        self._identity = identity
        self._seen: tuple[str, float] = ("", 0.0)
        self._held_until = 0.0
        self._complaint = ""

    def hold(self) -> bool:
        """Take or renew it; to be called about every RENEWAL seconds. False while another one has it."""
        begun = time.monotonic()
        try:
            held = self._try()
        except (AlreadyExists, Conflict):
            held = False  # another one was faster
        except ConsoleError as error:
            self._complain(error.problem or error.reason)
            return self.is_held  # not heard of: whoever had it still has it until it runs out
        self._held_until = begun + DURATION - RENEWAL if held else 0.0
        return held

    def _complain(self, problem: str) -> None:
        if problem != self._complaint:
            self._complaint = problem
            log.warning("the lease %s cannot be had: %s (%s)", self._name, problem, self._collection)

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
            self._connection.call("POST", self._collection, subject=self._name, body=body)
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
