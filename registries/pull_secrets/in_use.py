"""The Secrets that the objects of a namespace name, read when a person asks, item by item, and not kept."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType

from registries.cluster.connection import Connection, Json
from registries.domain.errors import NotFound, Problem
from registries.pull_secrets.named import (
    LISTED,
    MOST_OBJECTS,
    Enough,
    Named,
    list_kind,
    named_by,
)
from registries.pull_secrets.node_test import is_test
from registries.pull_secrets.scan import InUse

AT_ONCE = 8
TOGETHER = 20
"""Namespaces whose lists are read before anybody looks at the clock."""
PATIENCE = 8.0
"""Seconds for all lists together: a person waits for the page."""
MOST_EVERYWHERE = 100_000
"""The same as MOST_OBJECTS, for a list of all namespaces."""
MOST_NAMES = 2_000
"""Names and sets of names that are kept, per namespace."""
Answer = tuple[list[Named], Problem | None]
"""The objects of one kind that name a Secret, and why there may be more."""


@dataclass(frozen=True, slots=True)
class Everywhere:
    """The objects of one kind in the whole cluster, by namespace, and why there may be more."""

    places: dict[str, list[Named]] = field(default_factory=dict)
    failed: Problem | None = None

    @classmethod
    def of_list(cls, named: list[Named], failed: Problem | None) -> "Everywhere":
        places: dict[str, list[Named]] = {}
        for it in named:
            places.setdefault(it.namespace, []).append(it)
        return cls(places, failed)

    def of(self, namespace: str) -> Answer:
        return self.places.get(namespace, []), self.failed


Known = Mapping[str, Everywhere]
"""By kind."""


def read_in_use(
    reader: Connection,
    namespaces: Sequence[str],
    enough: int = MOST_EVERYWHERE,
    known: Known = MappingProxyType({}),
    spent: float = 0.0,
) -> tuple[dict[str, InUse], Problem | None]:
    """What these namespaces name, and why a list could not be read to its end. Raises no error. Thread-safe when its
    argument is. The kinds that are `known` from `read_everywhere`, which took `spent` seconds, are not read again.

    The namespaces are read in their order. Those that are left when the time ends, or after `enough` Secrets, are not
    in the answer. The first one always is.
    """
    until = time.monotonic() + PATIENCE - spent
    found: dict[str, InUse] = {}
    problem = None
    for start in range(0, len(namespaces), TOGETHER):
        for namespace, (in_use, failed) in _together(
            reader, namespaces[start : start + TOGETHER], until, known
        ).items():
            if failed == Problem.CLUSTER_TIMEOUT and found and time.monotonic() > until:
                return found, problem
            found[namespace] = in_use
            problem = failed or problem
        if time.monotonic() > until or sum(len(it.users) for it in found.values()) >= enough:
            break
    return found, problem


def _together(
    reader: Connection, namespaces: Sequence[str], until: float, known: Known
) -> dict[str, tuple[InUse, Problem | None]]:
    """Reads these namespaces at once, and says why one could not be read to its end."""
    questions = [(namespace, kind) for namespace in namespaces for kind in LISTED if kind not in known]
    with ThreadPoolExecutor(AT_ONCE, "in-use") as threads:
        answers = threads.map(lambda it: _listed(reader, it[0], it[1], until), questions)
        read = dict(zip(questions, answers, strict=True))
    return {
        namespace: _in_use(
            {kind: known[kind].of(namespace) if kind in known else read[namespace, kind] for kind in LISTED}
        )
        for namespace in namespaces
    }


def of_everywhere(known: Known, namespaces: Sequence[str]) -> tuple[dict[str, InUse], Problem | None]:
    """The same of all kinds from `read_everywhere`."""
    found = {it: _in_use({kind: known[kind].of(it) for kind in LISTED}) for it in namespaces}
    failures = [it.failed for it in known.values() if it.failed is not None]
    return {it: in_use for it, (in_use, _) in found.items()}, failures[-1] if failures else None


def _in_use(answers: Mapping[str, Answer]) -> tuple[InUse, Problem | None]:
    """What one namespace names, by the answer for each kind, and why one could not be read to its end."""
    found, problem = InUse(), None
    for kind, (named, failed) in answers.items():
        _add(found, kind, named)
        if failed is not None:
            found.unread.append(kind)
        if failed == Problem.CLUSTER_FORBIDDEN:
            found.forbidden.append(kind)
        elif failed is not None:
            problem = failed
    return found, problem


def read_everywhere(reader: Connection) -> Known:
    """One list of the cluster for each kind, without those kinds that are not allowed."""
    until = time.monotonic() + PATIENCE
    with ThreadPoolExecutor(AT_ONCE, "in-use") as threads:
        answers = threads.map(lambda kind: _listed(reader, "", kind, until), LISTED)
        found = dict(zip(LISTED, answers, strict=True))
    return {kind: Everywhere.of_list(*it) for kind, it in found.items() if it[1] != Problem.CLUSTER_FORBIDDEN}


def _listed(reader: Connection, namespace: str, kind: str, until: float) -> Answer:
    """The objects of one kind that name a Secret, in a namespace or in all (""), and why there may be more."""
    most = MOST_OBJECTS if namespace else MOST_EVERYWHERE
    named: list[Named] = []
    kept = 0

    def take(item: Json) -> None:
        nonlocal kept
        if kept > most:
            raise Enough
        found = named_by(kind, item)
        if (found.secrets or found.others) and not found.over and not is_test(item):
            named.append(found)
            kept += len(found.secrets) + len(found.others)

    failed = list_kind(reader, namespace, kind, until, most, take)
    return named, None if failed is None or isinstance(failed, NotFound) else failed.code


def _add(found: InUse, kind: str, named: list[Named]) -> None:
    for it in sorted(named, key=lambda one: one.name):  # an API server gives them in any order
        found.mentioned |= it.secrets | it.others
        if not it.secrets or it.part_of_another:
            continue
        if len(found.together) < MOST_NAMES:
            found.together.add(it.secrets)
        for name in it.secrets:
            if name in found.users or len(found.users) < MOST_NAMES:
                found.users.setdefault(name, []).append((kind, it.name))
