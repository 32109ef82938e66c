"""The users of pull secrets in a namespace, and the binding of the default service account.

A pod without a pull secret gets those of its service account at creation (ServiceAccount admission). A pod therefore
names all that it uses, and a workload whose template names none uses those of its service account.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from registries.cluster import paths
from registries.cluster.connection import MERGE_PATCH, Connection, Json
from registries.cluster.personal import Caller
from registries.domain.errors import Conflict, ConsoleError, Forbidden, NotFound, Problem, Refused
from registries.domain.registry import Key
from registries.pull_secrets.images import image_hosts
from registries.pull_secrets.kinds import ACCOUNT, Binding, Dependent, Usage
from registries.pull_secrets.named import (
    COLLECTIONS,
    LISTED,
    MOST_OBJECTS,
    POD,
    REPOSITORY,
    WITHOUT_PODS,
    Named,
    list_kind,
    named_by,
    names_in,
    told,
)

log = logging.getLogger(__name__)

ATTEMPTS = 5
AT_ONCE = 8
PATIENCE = 8.0
"""Seconds for all lists together: a person waits for the result in the delete dialog."""


class Users:
    """Reads and binds users of pull secrets, within the permissions of one person or of the console.

    `reader` lists and `writer` binds; `is_foreign` detects foreign Secrets.

    Thread-safe when its arguments are.
    """

    def __init__(self, reader: Connection, writer: Caller, is_foreign: Callable[[Key], bool]) -> None:
        self._reader = reader
        self._writer = writer
        self._is_foreign = is_foreign

    def binding(self, key: Key) -> Binding:
        """The binding of one pull secret. Raises no error."""
        path = paths.default_account(key.namespace)
        try:
            account = self._reader.call("GET", path, subject=str(key), read=PATIENCE)
        except NotFound:
            return Binding.ABSENT
        except ConsoleError:
            return Binding.UNKNOWN
        return Binding.BOUND if key.name in names_in(account) else Binding.UNBOUND

    def of_account(self, account: Key) -> frozenset[str] | None:
        """The pull secrets that a service account names; none for one that does not exist, None if it cannot be read.

        Raises no error. A list with one name in it needs no more than the right that the usage needs.
        """
        group, plural = COLLECTIONS[ACCOUNT]
        path = f"{group}/namespaces/{account.namespace}/{plural}"
        query = {"fieldSelector": f"metadata.name={account.name}"}
        try:
            found = self._reader.call("GET", path, subject=str(account), query=query, read=PATIENCE)
        except ConsoleError:
            return None
        return frozenset(name for it in found.get("items") or () for name in names_in(it))

    def bind(self, key: Key, *, bound: bool) -> None:
        """Adds the pull secret to the default service account, or removes it. Conflict `no_service_account`;
        Forbidden.

        Reads and writes the whole list, since the field has no merge key. Retries when the account has changed.
        """
        path = paths.default_account(key.namespace)
        try:
            for _ in range(ATTEMPTS):
                try:
                    return self._bind_once(path, key, bound)
                except Conflict:
                    continue
        except NotFound:
            raise Conflict(str(key), Problem.NO_SERVICE_ACCOUNT) from None
        except Refused:
            raise
        except Forbidden:
            raise Forbidden(str(key), problem=Problem.SERVICEACCOUNTS_FORBIDDEN) from None
        raise Conflict(str(key), Problem.CHANGED)

    def _bind_once(self, path: str, key: Key, bound: bool) -> None:
        account = self._writer.call("GET", path, subject=str(key))
        present = list(account.get("imagePullSecrets") or ())
        wanted = [it for it in present if it.get("name") != key.name]
        wanted += [{"name": key.name}] if bound else []
        if (key.name in names_in(account)) == bound:
            return
        version = account["metadata"]["resourceVersion"]
        patch = {"metadata": {"resourceVersion": version}, "imagePullSecrets": wanted}
        self._writer.call("PATCH", path, subject=str(key), body=patch, kind=MERGE_PATCH)

    def usage(self, addresses: Mapping[Key, str]) -> Usage:
        """The users of the pull secrets of these registries, given with their addresses.

        Foreign Secrets are left out. Raises no error, and takes a few seconds at most.
        """
        until = time.monotonic() + PATIENCE
        namespaces = sorted({key.namespace for key in addresses})
        questions = [(namespace, kind) for namespace in namespaces for kind in LISTED]
        with ThreadPoolExecutor(AT_ONCE, "usage") as threads:
            answers = threads.map(lambda it: self._list(*it, until=until), questions)
            listed = dict(zip(questions, answers, strict=True))
            found = [
                dependent
                for namespace in namespaces
                for dependent in _dependents(
                    namespace,
                    {kind: listed[namespace, kind] or () for kind in LISTED},
                    {
                        key.name: image_hosts(it)
                        for key, it in addresses.items()
                        if key.namespace == namespace
                    },
                )
            ]
            named = sorted({Key(it.namespace, name) for it in found for name in it.registries})
            foreign = set(threads.map(lambda key: key if self._foreign(key, until) else None, named))
        return Usage(
            tuple(kept for it in found if (kept := _without(it, foreign)).registries),
            tuple(it for it in questions if listed[it] is None),
        )

    def _list(self, namespace: str, kind: str, *, until: float) -> list[Named] | None:
        """All objects of one kind, from the cache of the server, read item by item; None when they cannot be listed in
        time, or are more than MOST_OBJECTS."""
        found: list[Named] = []
        take = partial(_keep, found, kind)
        failed = list_kind(self._reader, namespace, kind, until, MOST_OBJECTS, take)
        if failed is None or (isinstance(failed, NotFound) and kind == REPOSITORY):
            return found
        if failed.problem != Problem.CLUSTER_FORBIDDEN:
            log.warning("%s of %s not listed: %s", LISTED[kind][1], namespace, told(failed))
        return None

    def _foreign(self, key: Key, until: float) -> bool:
        """Whether the Secret is foreign. False when that cannot be read: its users are then shown."""
        try:
            return time.monotonic() < until and self._is_foreign(key)
        except ConsoleError:
            return False


def _keep(found: list[Named], kind: str, item: Json) -> None:
    found.append(named_by(kind, item))


def _dependents(
    namespace: str, items: Mapping[str, Iterable[Named]], hosts: Mapping[str, Collection[str]]
) -> Iterator[Dependent]:
    """The objects of one namespace that name one of these registries. `hosts` maps their names to the
    names of their hosts in images."""
    accounts = {it.name: it.secrets for it in items[ACCOUNT]}
    for kind, all_of_kind in items.items():
        found = []
        for item in all_of_kind:
            through_account = kind not in (*WITHOUT_PODS, POD) and not item.secrets
            secrets = accounts.get(item.account, frozenset()) if through_account else item.secrets
            used = tuple(sorted((secrets | item.others) & hosts.keys()))
            if used and not item.over and not item.part_of_another:
                pulls = any(item.hosts & {*hosts[name]} for name in secrets & hosts.keys())
                found.append(Dependent(namespace, kind, item.name, used, pulls and kind != ACCOUNT))
        yield from sorted(found, key=lambda it: (not it.pulls, it.name))


def _without(dependent: Dependent, foreign: Collection[Key | None]) -> Dependent:
    kept = tuple(name for name in dependent.registries if Key(dependent.namespace, name) not in foreign)
    return Dependent(dependent.namespace, dependent.kind, dependent.name, kept, dependent.pulls)
