"""Tests of a pull secret from a node that will pull, in the name of a person of the cluster.

Nothing is kept here: a test is its two Pods. They are deleted at the verdict, after some minutes by the process that
began the test, by the next test in their namespace, or with their registry.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING

from registries.audit.action import Action
from registries.audit.log import AuditLog
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
from registries.pull_secrets.kinds import PullSecret, is_object_name
from registries.pull_secrets.node_test import (
    AT_ONCE,
    PATIENCE,
    Node,
    NodeVerdict,
    Outcome,
    image_of,
    judge,
)
from registries.service.guard import Guard
from registries.stores.base import Store

if TYPE_CHECKING:
    from registries.pull_secrets.node_pods import NodePods

AGAIN = 60
"""Seconds until a test that found too many others is tried again."""
_ID = re.compile(r"[0-9a-f]{16}")
CLEAN_AFTER = PATIENCE.total_seconds() + 20.0
"""Seconds until the Pods of a test are deleted whatever happened. An open page has its verdict before."""


@dataclass(eq=False)
class NodeTests:
    """`later` runs a function after some seconds in the background of this process. `group_labels` are the labels of
    nodes that name their group, the first one that a node has."""

    _store: Store
    _guard: Guard
    _audit: AuditLog
    _clock: Callable[[], datetime]
    _later: Callable[[float, Callable[[], None]], None]
    _group_labels: Sequence[str]
    _claims: Claims = field(default_factory=lambda: Claims(AT_ONCE, ceil(CLEAN_AFTER)))

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
        return self._pods(access, key).nodes(self._group_labels)

    def begin(self, *, access: Access, key: Key, nodes: Sequence[str], repository: str) -> list[str]:
        """Creates the Pods of a test on each of these nodes, or none, and returns the ids in the order of the nodes.

        Invalid for the fields `node` and `repository`; TooManyRequests; Forbidden `pods_forbidden`; Refused by a quota
        or a rule of the cluster.
        """
        pods = self._pods(access, key)
        registry = self._store.get(key)
        tests = {secrets.token_hex(8): node for node in dict.fromkeys(nodes)}
        causes = _wrong_nodes(tuple(tests.values()))
        if not all(image_of(registry, repository, test) for test in tests or ("",)):
            causes.append(Cause("repository", Problem.CHARACTERS if repository else Problem.REQUIRED))
        known = {it.name for it in pods.nodes(self._group_labels)} if not causes else set()
        if known and not known.issuperset(tests.values()):
            causes.append(Cause("node", Problem.UNKNOWN))
        if causes:
            raise Invalid(str(key), causes)
        with self._guard.writing(access, Action.NODE_TEST, key):
            self._create(pods, access, registry, tests, repository)
        note = ", ".join(tests.values())
        self._audit.record(access, Action.NODE_TEST, key=key, uid=registry.uid, note=note)
        for test in tests:
            self._later(CLEAN_AFTER, partial(self._clean, access, key, test))
        return list(tests)

    def look(self, *, access: Access, key: Key, test: str) -> NodeVerdict:
        """The verdict so far. With one, the Pods are deleted. NotFound, Forbidden."""
        pods = self._pods(access, key)
        if not _ID.fullmatch(test):
            raise NotFound(str(key))
        registry = self._store.get(key)
        found = [it for it in pods.find(key.namespace, test) if it.owner == registry.uid]
        verdict = judge(found, registry, self._secret(key), self._clock())
        if found and verdict.outcome is not Outcome.WAITING:
            pods.delete(key.namespace, found)
            self._give_back(access, key, test)
        return verdict

    def _pods(self, access: Access, key: Key) -> "NodePods":
        self._guard.require(access, Permission.TEST, key, Action.NODE_TEST)
        pods = self._store.acting_as(access.acting).node_pods()
        if pods is None:
            raise NotFound(str(key))
        return pods

    def _create(
        self,
        pods: "NodePods",
        access: Access,
        registry: RegistrySecret,
        tests: Mapping[str, str],
        repository: str,
    ) -> None:
        """Creates the Pods of all tests (id -> node) or none, and first deletes what is left of earlier tests.
        TooManyRequests if too many are under way in the namespace or by this person, in all processes."""
        key, created = registry.key, list[str]()
        try:
            if not all(self._claims.take(name, it) for it in tests for name in _claimed(access, key)):
                raise TooManyRequests(str(key), AGAIN)
            old = [it for it in pods.find(key.namespace) if self._clock() - it.created > PATIENCE]
            pods.delete(key.namespace, old)
            for test, node in tests.items():
                pods.create(registry, test, node, image_of(registry, repository, test) or "")
                created.append(test)
        except BaseException:
            for test in tests:
                self._give_back(access, key, test)
            with suppress(ConsoleError):
                pods.delete(key.namespace, [it for test in created for it in pods.find(key.namespace, test)])
            raise

    def _give_back(self, access: Access, key: Key, test: str) -> None:
        for name in _claimed(access, key):
            self._claims.give_back(name, test)

    def _clean(self, access: Access, key: Key, test: str) -> None:
        try:
            pods = self._store.acting_as(access.acting).node_pods()
            if pods is not None:
                pods.delete(key.namespace, pods.find(key.namespace, test))
                self._give_back(access, key, test)
        except ConsoleError:
            pass  # the person has logged out, or the cluster is away: the next test here deletes them

    def _secret(self, key: Key) -> PullSecret | None:
        try:
            return self._store.pull_secret(key)
        except Unavailable:
            return None


def _wrong_nodes(nodes: Sequence[str]) -> list[Cause]:
    if not any(nodes):
        return [Cause("node", Problem.REQUIRED)]
    if not all(map(is_object_name, nodes)):
        return [Cause("node", Problem.CHARACTERS)]
    return [Cause("node", Problem.TOO_MANY, AT_ONCE)] if len(nodes) > AT_ONCE else []


def _claimed(access: Access, key: Key) -> tuple[str, str]:
    """The claims of one test: a seat of its namespace, and one of the person over all namespaces. The name of a person
    may be too long for a claim."""
    person = sha256(access.owner.encode()).hexdigest()[:32]
    return f"node tests {key.namespace}", f"node tests by {person}"
