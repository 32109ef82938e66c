"""Builds the store, the index, the prober and the service from settings; nothing else here reads them."""

import os
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import cache
from socket import gethostname
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from registries.audit.log import AuditLog
from registries.buckets import StoredBuckets
from registries.domain.access import Access
from registries.domain.errors import Unavailable
from registries.index.snapshot import Index
from registries.limits import Rates, Seats
from registries.people.accounts import Accounts
from registries.people.grants import access_now, forget_namespace
from registries.people.refusals import Refusals
from registries.people.tokens import Tokens
from registries.runs.deletion import DeleteRuns
from registries.runs.tests import VerifyRuns
from registries.runs.threads import Background
from registries.runs.trials import Trials
from registries.service.registries import RegistryService
from registries.stores.base import Store
from registries.stores.embedded import EmbeddedStore
from registries.stores.sealing import Sealer
from registries.verification.history import History
from registries.verification.pauses import Pauses
from registries.verification.prober import certificates, lanes, metrics, one_at_a_time, patience, realms
from registries.verification.quota import Quota

DELETED_AT_ONCE = 8
"""On a cluster, by one run or by all; more gain little (kubernetes.md)."""
RUNS_AT_ONCE = 64
"""People whose runs are under way; a run that waits for its thread would seem lost."""

if TYPE_CHECKING:
    from registries.cluster.connection import Connection
    from registries.cluster.personal import Gate
    from registries.people.cluster_bearers import ClusterTokens
    from registries.people.cluster_sessions import ClusterSessions


@cache
def embedded_store() -> EmbeddedStore:
    return EmbeddedStore(Sealer(settings.PASSWORD_KEYS))


def on_cluster() -> bool:
    if settings.STORE not in ("embedded", "kubernetes"):
        raise ImproperlyConfigured(f"CONSOLE_STORE is {settings.STORE}; use embedded or kubernetes")
    return bool(settings.STORE == "kubernetes")


def by_cluster() -> bool:
    """Whether people log in with credentials of the cluster, which then says what they may do."""
    if settings.AUTH not in ("local", "kubernetes"):
        raise ImproperlyConfigured(f"CONSOLE_AUTH is {settings.AUTH}; use local or kubernetes")
    if settings.AUTH == "kubernetes" and not on_cluster():
        raise ImproperlyConfigured("CONSOLE_AUTH=kubernetes takes CONSOLE_STORE=kubernetes as well")
    return bool(settings.AUTH == "kubernetes")


@cache
def gate() -> "Gate":
    """To the same API server with people's own credentials."""
    from registries.cluster.connection import configuration
    from registries.cluster.personal import Gate

    return Gate(configuration(settings.KUBECONFIG), connection(), tuple(settings.CLUSTER_ADDRESSES))


@cache
def people() -> "ClusterSessions":
    from registries.people.cluster_sessions import ClusterSessions

    return ClusterSessions(
        gate=gate(),
        sealer=Sealer(settings.PASSWORD_KEYS),
        namespaces=lambda: index().fresh().namespaces,
        audit=audit(),
        fresh_for=settings.ACCESS_SECONDS,
        lasts=timedelta(seconds=settings.SESSION_COOKIE_AGE),
    )


def access_by_now(access: Access) -> Access:
    """What somebody may do by now, for work that goes on after its request. Unavailable `session_ended`."""
    return people().access_now(access) if by_cluster() else access_now(access)


@cache
def connection() -> "Connection":
    """To the API server. The package takes half a second to import, so nobody else pays for it."""
    from registries.cluster.connection import Connection, configuration

    try:
        return Connection(configuration(settings.KUBECONFIG))
    except Unavailable as error:
        where = f"KUBECONFIG names {settings.KUBECONFIG}, which" if settings.KUBECONFIG else "This pod"
        raise ImproperlyConfigured(
            f"{where} holds no usable credentials. Name a kubeconfig file in KUBECONFIG, or run in a pod with a "
            "service account."
        ) from error


@cache
def store() -> Store:
    if not on_cluster():
        return embedded_store()
    from registries.cluster.connection import own_namespace
    from registries.cluster.lease import Lease
    from registries.stores.cluster.store import KubernetesStore

    def lease() -> Lease:
        namespace = settings.KUBE_NAMESPACE or own_namespace(settings.KUBECONFIG)
        return Lease(connection(), namespace, "registry-console", f"{gethostname()}-{uuid4()}")

    return KubernetesStore(connection(), lease=lease if settings.PULL_SECRETS else None)


def start() -> None:
    """Begin what runs beside the requests; to be called in the process that answers them."""
    if on_cluster():
        threading.Thread(target=service().begin, name="first list", daemon=True).start()
    if by_cluster():
        threading.Thread(target=people().keep_tidy, name="tidy", daemon=True).start()


def stop() -> None:
    """End what was begun here beside the requests: for a process that goes on without answering any."""
    store().stop()


@cache
def history() -> History:
    return History(patience())


@cache
def audit() -> AuditLog:
    return AuditLog()


@cache
def index() -> Index:
    return Index(store(), lambda: datetime.now(UTC))


@cache
def service() -> RegistryService:
    return RegistryService(
        store=store(),
        index=index(),
        prober=one_at_a_time,
        audit=audit(),
        history=history(),
        limit=Quota(settings.TESTS_PER_MINUTE),
        restraint=Pauses(),
        # A cluster takes no part in a transaction, and one must not be kept open while it is asked.
        atomic=nullcontext if on_cluster() else transaction.atomic,
    )


@cache
def tests() -> Background:
    """The threads of tests that somebody is waiting for."""
    return Background(settings.TEST_THREADS, "test")


@cache
def trials() -> Trials:
    return Trials(service(), tests(), patience())


@cache
def deleting() -> Background:
    """The threads of runs that delete."""
    return Background(min(settings.TEST_THREADS, 2), "delete")


@cache
def deletions() -> Background | None:
    """The threads that delete side by side; a database, which writes one thing after the other, has none."""
    return Background(min(settings.TEST_THREADS, DELETED_AT_ONCE), "deletion") if on_cluster() else None


@cache
def running() -> Background:
    """The threads of runs that test."""
    return Background(min(settings.TEST_THREADS, RUNS_AT_ONCE), "run")


AccessNow = Callable[[Access], Access]


def delete_runs(access_now: AccessNow | None = None) -> DeleteRuns:
    """`access_now` is what whoever began may do by then: of a person, or of a token."""
    return DeleteRuns(service(), deleting(), access_now or access_by_now, transaction.atomic, deletions())


def verify_runs(access_now: AccessNow | None = None) -> VerifyRuns:
    return VerifyRuns(
        service=service(),
        background=running(),
        probing=run_tests(),
        most=max(1, settings.RUN_TESTS),
        pauses=Pauses(),
        access_now=access_now or access_by_now,
        atomic=transaction.atomic,
    )


def verify_runs_of(access: Access) -> VerifyRuns:
    """Runs of a command, which may do now what it might at the start."""
    return verify_runs(lambda _: access)


@cache
def run_tests() -> Background:
    """The threads of all tests of all runs of this process."""
    return Background(min(settings.TEST_THREADS, settings.RUN_TESTS), "run-test")


@cache
def accounts() -> Accounts:
    return Accounts(audit())


@cache
def tokens() -> Tokens:
    return Tokens(audit())


@cache
def cluster_tokens() -> "ClusterTokens":
    from registries.people.cluster_bearers import ClusterTokens

    return ClusterTokens(
        gate=gate(),
        namespaces=lambda: index().fresh().namespaces,
        refusals=Refusals(audit()),
        questions=api_rates(),
        fresh_for=settings.ACCESS_SECONDS,
    )


@cache
def api_rates() -> Rates:
    return Rates(settings.API_RATE, StoredBuckets())


@cache
def api_tests() -> Seats:
    """The tests that API clients may be waiting for at once, one person for half of them: a registry that is slow
    keeps nobody else's from being tested."""
    return Seats(settings.API_TESTS, each=settings.API_TESTS // 2)


@cache
def api_watches() -> Seats:
    """One caller has half of them at most, or whoever is first would keep all others from watching."""
    return Seats(settings.API_WATCHES, each=-(-settings.API_WATCHES // 2))


def reseal() -> tuple[int, int]:
    """Bring all that is sealed under the newest key: how many passwords, and how many credentials of sessions. Both,
    wherever the registries are at the moment: a database may have seen another setting."""
    from registries.people.cluster_sessions import reseal_credentials

    return embedded_store().reseal(), reseal_credentials(Sealer(settings.PASSWORD_KEYS))


def delete_namespace(access: Access, name: str) -> None:
    """A namespace goes with the roles in it: one that is created again starts without any."""
    with transaction.atomic():
        service().delete_namespace(access=access, name=name)
        forget_namespace(name)


def reset() -> None:
    """Forget everything that was built: in a child process, where its threads are not and its locks may be held;
    and for tests that change settings or databases."""
    built = (
        realms,
        certificates,
        lanes,
        embedded_store,
        connection,
        gate,
        people,
        index,
        store,
        history,
        audit,
        service,
        tests,
        trials,
        deleting,
        deletions,
        running,
        run_tests,
        accounts,
        tokens,
        cluster_tokens,
        metrics,
        api_rates,
        api_tests,
        api_watches,
    )
    for one in built:
        one.cache_clear()


os.register_at_fork(after_in_child=reset)
