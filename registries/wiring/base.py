"""The lower parts of one process: settings, the store with its cluster, the index, and what is recorded."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from socket import gethostname
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils import timezone

from registries.audit.action import OK, Action
from registries.audit.log import AuditLog
from registries.domain.errors import Unavailable
from registries.events import channels
from registries.index.search import Index
from registries.limits import Pauses
from registries.metrics import Metrics
from registries.schedule import moving, silences
from registries.schedule.due import read_interval
from registries.schedule.intervals import Intervals
from registries.schedule.recent import FailingSince
from registries.stores.base import Store
from registries.stores.embedded import EmbeddedStore
from registries.stores.room import Room
from registries.stores.sealing import Sealer
from registries.stores.trash import Trash
from registries.sync import rows as sync_rows
from registries.verification.history import History
from registries.verification.prober import ConnectionTest, probe_policy

if TYPE_CHECKING:
    from registries.cluster.connection import Connection
    from registries.cluster.personal import ApiServer

CLOCKS = timedelta(minutes=5)
"""The clocks of the console and of the API server differ by less. What was chosen shortly before a namespace was
created may have been chosen for it."""

log = logging.getLogger(__name__)


def restored(before: str, after: str) -> None:
    """A deleted registry was restored: what is kept under its uid goes to the new one."""
    moving.move(before, after)
    sync_rows.move(before, after)


def replaced(before: str, after: str) -> None:
    """A registry was created again with other values: what is kept under its uid goes to the new one."""
    moving.replace(before, after)
    sync_rows.move(before, after)


def later(seconds: float, work: Callable[[], None]) -> None:
    """Runs `work` once after some seconds, in a thread of its own, if this process still runs."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    timer = threading.Timer(seconds, run)
    timer.daemon = True
    timer.start()


T = TypeVar("T")


class part(cached_property[T]):  # noqa: N801  used as a decorator
    """A cached property that one thread builds while the others wait."""

    def __get__(self, instance: Any, owner: type | None = None) -> T:  # type: ignore[override]
        with instance.building:
            built: T = super().__get__(instance, owner)
            return built


class Foundation:
    """Settings, the store, the index, and what is recorded."""

    def __init__(self) -> None:
        self.building = threading.RLock()
        self._namespaces: dict[str, datetime] = {}
        """When the namespaces of the cluster were created that were seen last."""

    @part
    def on_cluster(self) -> bool:
        """Whether registries are stored on a cluster."""
        if settings.STORE not in ("embedded", "kubernetes"):
            raise ImproperlyConfigured(f"CONSOLE_STORE is {settings.STORE}; use embedded or kubernetes")
        return bool(settings.STORE == "kubernetes")

    @part
    def by_cluster(self) -> bool:
        """Whether people log in with credentials of the cluster, and its RBAC decides."""
        if settings.AUTH not in ("local", "kubernetes"):
            raise ImproperlyConfigured(f"CONSOLE_AUTH is {settings.AUTH}; use local or kubernetes")
        if settings.AUTH == "kubernetes" and not self.on_cluster:
            raise ImproperlyConfigured("CONSOLE_AUTH=kubernetes takes CONSOLE_STORE=kubernetes as well")
        return bool(settings.AUTH == "kubernetes")

    @property
    def check_interval(self) -> timedelta | None:
        """The time between the scheduled checks of a credential; None: there are none."""
        try:
            return read_interval(settings.CHECK_INTERVAL)
        except ValueError as error:
            raise ImproperlyConfigured(f"CONSOLE_CHECK_INTERVAL: {error}") from error

    def check_settings(self) -> None:
        """Raises ImproperlyConfigured for settings that are unknown or contradict each other."""
        _ = self.on_cluster, self.by_cluster, self.check_interval

    @part
    def sealer(self) -> Sealer:
        return Sealer(settings.PASSWORD_KEYS)

    @property
    def room(self) -> Room:
        return Room(settings.NAMESPACE_REGISTRIES, settings.NAMESPACE_MIB)

    @part
    def embedded_store(self) -> EmbeddedStore:
        return EmbeddedStore(self.sealer, self.room)

    @property
    def undo_lasts(self) -> timedelta:
        """For how long a deletion can be undone; zero: no deletion can."""
        return timedelta(hours=max(0.0, settings.UNDO_HOURS))

    @part
    def trash(self) -> Trash:
        twice = Room(2 * self.room.registries, 2 * self.room.mib)
        return Trash(self.sealer, self.undo_lasts, restored, twice)

    @part
    def store(self) -> Store:
        if not self.on_cluster:
            return self.embedded_store
        from registries.cluster.configuration import own_namespace
        from registries.cluster.lease import Lease
        from registries.stores.cluster.store import KubernetesStore

        def lease() -> Lease:
            namespace = settings.KUBE_NAMESPACE or own_namespace(settings.KUBECONFIG)
            return Lease(self.connection, namespace, "registry-console", f"{gethostname()}-{uuid4()}")

        return KubernetesStore(
            self.connection,
            lease=lease if settings.PULL_SECRETS else None,
            namespaces=settings.CLUSTER_NAMESPACES,
            namespaces_seen=self._close_earlier,
            room=self.room,
            secret=settings.SECRET_KEY,
        )

    def _close_earlier(self, created: Mapping[str, datetime]) -> None:
        """Keeps the audit log, the trash, the channels, the silences and the check intervals of earlier namespaces from
        the people of these, which are new ones for rules. Runs in a watching thread."""
        try:
            surely = {namespace: at - CLOCKS for namespace, at in created.items()}
            channels.turn_off_earlier(surely)
            silences.forget_earlier(surely)
            Intervals(self.check_interval).forget_earlier(surely)
            for namespace, at in created.items():
                again = self._namespaces.get(namespace, at) != at
                sync_rows.namespace_gone(namespace, before=None if again else surely[namespace])
                self.audit.close_namespace(namespace, before=at)
                self.trash.forget_namespace(namespace, before=at)
        except Exception:  # the watch goes on, whatever the database says
            log.exception("what belongs to an earlier namespace stays")
        finally:
            self._namespaces |= created
            connections.close_all()

    @part
    def connection(self) -> "Connection":
        """The console's own connection to the API server. Its package takes half a second to import."""
        from registries.cluster.configuration import configuration
        from registries.cluster.connection import Connection

        try:
            return Connection(configuration(settings.KUBECONFIG))
        except Unavailable as error:
            where = f"KUBECONFIG names {settings.KUBECONFIG}, which" if settings.KUBECONFIG else "This pod"
            raise ImproperlyConfigured(
                f"{where} holds no usable credentials, or a proxy that is not http:// or https://. Name a kubeconfig "
                "file in KUBECONFIG, or run in a pod with a service account, and look at proxy-url and HTTPS_PROXY."
            ) from error

    @part
    def api_server(self) -> "ApiServer":
        """The API server, for calls with people's own credentials."""
        from registries.cluster.configuration import configuration
        from registries.cluster.personal import ApiServer

        return ApiServer(
            configuration(settings.KUBECONFIG), self.connection, tuple(settings.CLUSTER_ADDRESSES)
        )

    @part
    def index(self) -> Index:
        return Index(self.store, timezone.localtime, FailingSince())

    @part
    def metrics(self) -> Metrics:
        """What this process has tested and answered since it started."""
        return Metrics((it.value, OK) for it in Action)

    @part
    def prober(self) -> ConnectionTest:
        return ConnectionTest(probe_policy, self.metrics)

    @part
    def history(self) -> History:
        return History(self.prober.patience)

    @part
    def pauses(self) -> Pauses:
        return Pauses()

    @part
    def audit(self) -> AuditLog:
        return AuditLog(self.metrics.acted)
