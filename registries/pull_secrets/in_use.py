"""The Secrets that the objects of a namespace name, read when a person asks, item by item, and not kept."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

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


def read_in_use(
    reader: Connection, namespaces: Sequence[str], enough: int = MOST_EVERYWHERE
) -> tuple[dict[str, InUse], Problem | None]:
    """What these namespaces name, and why a list could not be read to its end. Raises no error. Thread-safe when its
    argument is.

    The namespaces are read in their order. Those that are left when the time ends, or after `enough` Secrets, are not
    in the answer. The first one always is.
    """
    until = time.monotonic() + PATIENCE
    found: dict[str, InUse] = {}
    problem = None
    for start in range(0, len(namespaces), TOGETHER):
        for namespace, (in_use, failed) in _together(
            reader, namespaces[start : start + TOGETHER], until
        ).items():
            if failed == Problem.CLUSTER_TIMEOUT and found and time.monotonic() > until:
                return found, problem
            found[namespace] = in_use
            problem = failed or problem
        if time.monotonic() > until or sum(len(it.users) for it in found.values()) >= enough:
            break
    return found, problem


def _together(
    reader: Connection, namespaces: Sequence[str], until: float
) -> dict[str, tuple[InUse, Problem | None]]:
    """Reads these namespaces at once, and says why one could not be read to its end."""
    found = {namespace: InUse() for namespace in namespaces}
    problems: dict[str, Problem] = {}
    questions = [(namespace, kind) for namespace in namespaces for kind in LISTED]
    with ThreadPoolExecutor(AT_ONCE, "in-use") as threads:
        answers = list(threads.map(lambda it: _listed(reader, it[0], it[1], until), questions))
    for (namespace, kind), (named, failed) in zip(questions, answers, strict=True):
        _add(found[namespace], kind, named)
        if failed is not None:
            found[namespace].unread.append(kind)
        if failed == Problem.CLUSTER_FORBIDDEN:
            found[namespace].forbidden.append(kind)
        elif failed is not None:
            problems[namespace] = failed
    return {namespace: (in_use, problems.get(namespace)) for namespace, in_use in found.items()}


def read_everywhere(
    reader: Connection, namespaces: Sequence[str]
) -> tuple[dict[str, InUse], Problem | None] | None:
    """What `read_in_use` reads, with one list of the cluster for each kind. None if one of them is not allowed."""
    until = time.monotonic() + PATIENCE
    refused = threading.Event()

    def listed(kind: str) -> tuple[list[Named], Problem | None]:
        if refused.is_set():
            return [], Problem.CLUSTER_FORBIDDEN
        answer = _listed(reader, "", kind, until)
        if answer[1] == Problem.CLUSTER_FORBIDDEN:
            refused.set()
        return answer

    with ThreadPoolExecutor(AT_ONCE, "in-use") as threads:
        answers = dict(zip(LISTED, threads.map(listed, LISTED), strict=True))
    failures = [failed for _named, failed in answers.values() if failed is not None]
    if Problem.CLUSTER_FORBIDDEN in failures:
        return None
    found = {namespace: InUse() for namespace in namespaces}
    for kind, (named, failed) in answers.items():
        places: dict[str, list[Named]] = {}
        for it in named:
            places.setdefault(it.namespace, []).append(it)
        for namespace, in_use in found.items():
            _add(in_use, kind, places.get(namespace, []))
            if failed is not None:
                in_use.unread.append(kind)
    return found, failures[-1] if failures else None


def _listed(
    reader: Connection, namespace: str, kind: str, until: float
) -> tuple[list[Named], Problem | None]:
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
    for it in named:
        found.mentioned |= it.secrets | it.others
        if not it.secrets or it.part_of_another:
            continue
        if len(found.together) < MOST_NAMES:
            found.together.add(it.secrets)
        for name in it.secrets:
            if name in found.users or len(found.users) < MOST_NAMES:
                found.users.setdefault(name, []).append((kind, it.name))
