"""Tests of a pull secret from a node that will pull, in the name of a person of the cluster.

Nothing is kept here: a test is its two Pods. They are deleted at the verdict, after some minutes by the process that
began the test, by the next test in their namespace, or with their registry.
"""

import re
import secrets
from collections.abc import Callable
from datetime import datetime
from math import ceil

from registries.audit.action import Action, Audit
from registries.domain.access import Access, Permission
from registries.domain.errors import (
    Cause,
    ConsoleError,
    Invalid,
    NotFound,
    Problem,
    TooManyRequests,
    Unavailable,
)
from registries.domain.registry import Key, RegistrySecret
from registries.limits import Claims
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.node_test import (
    AT_ONCE,
    PATIENCE,
    Node,
    NodePods,
    NodeVerdict,
    Outcome,
    image_of,
    is_node_name,
    judge,
)
from registries.service.guard import Guard
from registries.stores.base import Store

AGAIN = 60
"""Seconds until a test that found too many others is tried again."""
_ID = re.compile(r"[0-9a-f]{16}")
CLEAN_AFTER = PATIENCE.total_seconds() + 20.0
"""Seconds until the Pods of a test are deleted whatever happened. An open page has its verdict before."""


class NodeTests:
    """`later` runs a function after some seconds in the background of this process."""

    def __init__(
        self,
        store: Store,
        guard: Guard,
        audit: Audit,
        clock: Callable[[], datetime],
        later: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self._claims = Claims(AT_ONCE, ceil(CLEAN_AFTER))
        self._store = store
        self._guard = guard
        self._audit = audit
        self._clock = clock
        self._later = later

    def offered(self, *, access: Access, key: Key) -> bool:
        """Whether this person may test from a node here. The API server decides."""
        if not access.may(Permission.TEST, key.namespace):
            return False
        try:
            pods = self._store.acting_as(access.acting).node_pods()
        except Unavailable:
            return False
        return pods is not None and pods.allowed(key.namespace)

    def nodes(self, *, access: Access, key: Key) -> tuple[Node, ...]:
        """The nodes by name; () where the person may not list them. NotFound, Forbidden."""
        return self._pods(access, key).nodes()

    def begin(self, *, access: Access, key: Key, node: str, repository: str) -> str:
        """Creates the Pods of a test and returns its id.

        Invalid for the fields `node` and `repository`; TooManyRequests; Forbidden `pods_forbidden`; Refused by a quota
        or a rule of the cluster.
        """
        pods = self._pods(access, key)
        registry, test = self._store.get(key), secrets.token_hex(8)
        image = image_of(registry, repository, test)
        causes = (
            [] if is_node_name(node) else [Cause("node", Problem.CHARACTERS if node else Problem.REQUIRED)]
        )
        if image is None:
            causes.append(Cause("repository", Problem.CHARACTERS if repository else Problem.REQUIRED))
        known = pods.nodes() if not causes else ()
        if known and node not in {it.name for it in known}:
            causes.append(Cause("node", Problem.UNKNOWN))
        if causes or image is None:
            raise Invalid(str(key), causes)
        with self._guard.writing(access, Action.NODE_TEST, key):
            self._create(pods, registry, test, node, image)
        self._audit.record(access, Action.NODE_TEST, key=key, uid=registry.uid, note=node)
        self._later(CLEAN_AFTER, lambda: self._clean(access, key, test))
        return test

    def look(self, *, access: Access, key: Key, test: str) -> NodeVerdict:
        """The verdict so far. With one, the Pods are deleted. NotFound, Forbidden."""
        pods = self._pods(access, key)
        if not _ID.fullmatch(test):
            raise NotFound(str(key))
        registry = self._store.get(key)
        found = [it for it in pods.find(key.namespace, test) if it.owner == registry.uid]
        verdict = judge(found, registry, self._secret(key), self._clock())
        if verdict.outcome not in (Outcome.WAITING, Outcome.GONE):
            pods.delete(key.namespace, found)
            self._claims.give_back(_claimed(key), test)
        return verdict

    def _pods(self, access: Access, key: Key) -> NodePods:
        self._guard.require(access, Permission.TEST, key, Action.NODE_TEST)
        pods = self._store.acting_as(access.acting).node_pods()
        if pods is None:
            raise NotFound(str(key))
        return pods

    def _create(self, pods: NodePods, registry: RegistrySecret, test: str, node: str, image: str) -> None:
        """Creates the Pods, and first deletes what is left of earlier tests. TooManyRequests if too many are under way
        in the namespace, in all processes."""
        key = registry.key
        if not self._claims.take(_claimed(key), test):
            raise TooManyRequests(str(key), AGAIN)
        try:
            old = [it for it in pods.find(key.namespace) if self._clock() - it.created > PATIENCE]
            pods.delete(key.namespace, old)
            pods.create(registry, test, node, image)
        except BaseException:
            self._claims.give_back(_claimed(key), test)
            raise

    def _clean(self, access: Access, key: Key, test: str) -> None:
        try:
            pods = self._store.acting_as(access.acting).node_pods()
            if pods is not None:
                pods.delete(key.namespace, pods.find(key.namespace, test))
                self._claims.give_back(_claimed(key), test)
        except ConsoleError:
            pass  # the person has logged out, or the cluster is away: the next test here deletes them

    def _secret(self, key: Key) -> PullSecret | None:
        try:
            return self._store.pull_secret(key)
        except Unavailable:
            return None


def _claimed(key: Key) -> str:
    return f"node tests {key.namespace}"
