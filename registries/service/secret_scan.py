"""The scan of the pull secrets that are in use, and of the registries that nothing uses."""

from dataclasses import dataclass, field

from registries.domain.access import Access
from registries.domain.errors import Problem
from registries.domain.query import Criteria
from registries.domain.registry import Key, RegistrySecret
from registries.index.search import Index
from registries.pull_secrets.scan import Finding, Scanned, comparable, scan, unused
from registries.stores.base import Store

MOST_NAMESPACES = 20
MOST_FINDINGS = 200
"""Findings, and unused registries, that are given."""


@dataclass(slots=True)
class Scan:
    """By namespace and name. `secrets` are those with a finding, of `checked` in all. `unread` are the namespaces and
    kinds that this person may not list. `problem` is why others could not be read now. `more` says that the scan is
    not complete."""

    secrets: list[Scanned] = field(default_factory=list)
    unused: list[RegistrySecret] = field(default_factory=list)
    checked: int = 0
    unread: list[tuple[str, list[str]]] = field(default_factory=list)
    problem: Problem | None = None
    more: bool = False


class SecretScan:
    """Objects and Secrets are read when a person asks, and are not kept."""

    def __init__(self, store: Store, index: Index) -> None:
        self._store = store
        self._index = index

    def find(self, *, access: Access, namespace: str = "") -> Scan:
        """The scan of the namespaces that this person sees, or of one of them. NotFound for another namespace;
        Unavailable `session_ended`.

        On a cluster with people of its own, the API server decides what this person may list and read.
        """
        self._index.require_namespace(access, namespace)
        problem = self._index.freshness().problem
        reader = None if problem else self._store.acting_as(access.acting).pull_failures()
        if reader is None:
            return Scan(problem=problem)
        namespaces = (namespace,) if namespace else self._index.namespaces(access)
        found = Scan(more=len(namespaces) > MOST_NAMESPACES)
        namespaces = namespaces[:MOST_NAMESPACES]
        in_use, found.problem = reader.in_use(namespaces)
        known = {place: self._index.matching(access, Criteria(place)) for place in namespaces}
        keys = [Key(place, name) for place, names in in_use.items() for name in sorted(names.users)]
        registries = {it.key: it for place in known.values() for it in place}
        read = comparable(reader.secrets(keys, registries))
        for place, names in in_use.items():
            secrets = {key.name: it for key, it in read.items() if key.namespace == place}
            found.secrets += [it for it in scan(place, names, secrets, known[place]) if it.findings]
            found.unused += unused(names, known[place])
            if names.forbidden:
                found.unread.append((place, names.forbidden))
        found.checked = sum(key in read for key in keys)
        found.more |= found.checked < len(keys) or max(len(found.secrets), len(found.unused)) > MOST_FINDINGS
        found.secrets.sort(key=_rank)
        del found.secrets[MOST_FINDINGS:], found.unused[MOST_FINDINGS:]
        return found


def _rank(scanned: Scanned) -> tuple[int, Key]:
    """The worst findings first."""
    order = list(Finding)
    return min(map(order.index, scanned.findings)), scanned.key
