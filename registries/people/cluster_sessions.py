"""People who log in with a credential of the cluster: who they are, what they may do at the moment, and the
credential, which is kept sealed, belongs to one session, and goes with it. Owns ClusterSession.

Whoever acts for a person looks it up again at every call, so what goes on in the background ends with the session.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from django.contrib.sessions.models import Session
from django.db import connections
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from registries.audit.action import Action, Audit
from registries.cluster.credential import LoginCredential
from registries.cluster.personal import ApiServer, Person
from registries.domain.access import Access
from registries.domain.errors import ConsoleError, Problem, Unavailable
from registries.models import ClusterSession
from registries.people.cluster_access import REVIEWS_AT_ONCE, asked, kept, short
from registries.people.sessions import keep_sessions_tidy
from registries.stores.resealing import reseal_all
from registries.stores.sealing import Sealer

log = logging.getLogger(__name__)

AGAIN_AFTER = 5.0
"""Seconds after which an API server that was away is asked again."""
TIDY_EVERY = 60.0
NEW = timedelta(minutes=1)
"""A session that is being begun has no key yet."""


@dataclass
class _Known:
    """What was last heard of one session's access, and when (monotonic seconds)."""

    access: Access | None = None
    at: float = float("-inf")
    error: ConsoleError | None = None
    failed_at: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


class ClusterSessions:
    """Thread-safe. `namespaces` gives all that exist; access is believed for `fresh_for` seconds; a session `lasts`
    no longer than its credential says that it will."""

    def __init__(
        self,
        *,
        api_server: ApiServer,
        sealer: Sealer,
        namespaces: Callable[[], Collection[str]],
        audit: Audit,
        fresh_for: float,
        lasts: timedelta,
    ) -> None:
        self._api_server = api_server
        self._sealer = sealer
        self._namespaces = namespaces
        self._audit = audit
        self._fresh_for = fresh_for
        self._lasts = lasts
        self._threads = ThreadPoolExecutor(REVIEWS_AT_ONCE, "review")
        self._known: dict[int, _Known] = {}
        self._tidied = time.monotonic()

    # Logging in and out

    def recognise(self, credential: LoginCredential) -> ClusterSession | None:
        """A new session of whoever this proves to be, or None. It is of no use until `keep`. Unavailable."""
        name = self._api_server.identify(credential)
        if not name:
            return None
        ends = timezone.now() + self._lasts
        expires_at = min(ends, credential.expires_at) if credential.expires_at else ends
        return ClusterSession.objects.create(person=short(name), expires_at=expires_at)

    def keep(self, session: ClusterSession, session_key: str, credential: LoginCredential) -> None:
        """Bind the credential to the session whose cookie has this key."""
        session.session_key = session_key
        session.sealed = self._sealer.seal(credential.to_json(), uid=str(session.uid), binding=session_key)
        session.save(update_fields=["session_key", "sealed"])

    def forget(self, user: object) -> None:
        """Somebody logs out. Whoever is no person of the cluster is left alone."""
        if isinstance(user, ClusterSession):
            self._drop(user.pk)

    def tidy(self) -> None:
        """Forget the credentials of sessions that are over."""
        self._tidied = time.monotonic()
        over = ClusterSession.objects.exclude(Q(pk__in=_live()) | Q(last_login__gt=timezone.now() - NEW))
        for pk in list(over.values_list("pk", flat=True)):
            self._drop(pk)

    @property
    def upkeep(self) -> Sequence[Callable[[], None]]:
        return keep_sessions_tidy, self.keep_tidy

    def keep_tidy(self) -> None:
        """For a thread of its own: sessions end also while nobody asks for anything."""
        while True:
            try:
                self.tidy()
            except Exception:
                log.exception("forgetting the sessions that are over failed")
            finally:
                connections.close_all()
            time.sleep(TIDY_EVERY)

    # What they may do

    def find(self, pk: int) -> ClusterSession | None:
        """The session, with its person's access or what keeps it from being known; None when it is over."""
        if time.monotonic() - self._tidied > TIDY_EVERY:
            self.tidy()
        session = _live().filter(pk=pk).first()
        if session is None:
            return None
        try:
            session.access = self._access(session)
        except ConsoleError as error:
            if error.problem == Problem.SESSION_ENDED:
                self._end(pk)
                return None
            session.trouble = error
        return session

    def access_of(self, user: object, source: str) -> Access:
        """Of a user that `find` gave, asking from an address. Unavailable; nobody may do nothing."""
        if not isinstance(user, ClusterSession):
            return Access(person="", source=source)
        if user.access is None:
            raise user.trouble or Unavailable(user.person, Problem.SESSION_ENDED)
        return replace(user.access, source=source)

    def access_now(self, access: Access) -> Access:
        """The same for work that goes on after its request. Unavailable `session_ended`."""
        session = self.find(access.acting.session) if isinstance(access.acting, Person) else None
        if session is None:
            raise Unavailable(access.person, Problem.SESSION_ENDED)
        return replace(session.access, source=access.source) if session.access else access

    def _access(self, session: ClusterSession) -> Access:
        known = self._known.setdefault(session.pk, _Known())
        with known.lock:  # of several requests at once, one asks
            now = time.monotonic()
            if known.access and now - known.at < self._fresh_for:
                return known.access
            if known.error is None or now - known.failed_at >= AGAIN_AFTER:
                try:
                    known.access, known.at, known.error = self._asked(session), now, None
                except ConsoleError as error:
                    known.error, known.failed_at = error, now
            if known.access and (known.error is None or now - known.at <= kept(known.error)):
                return known.access
            raise known.error.with_traceback(None) if known.error else Unavailable(session.person)

    def _asked(self, session: ClusterSession) -> Access:
        connection = self._api_server.connection(self._open(session))
        access = asked(connection, session.person, self._namespaces(), self._threads)
        credential, refused = partial(self._credential, session.pk), partial(self._refused, session.pk)
        return replace(access, acting=Person(self._api_server, session.pk, credential, refused))

    # The credential

    def _credential(self, pk: int) -> LoginCredential:
        session = _live().filter(pk=pk).first()
        if session is None:
            raise Unavailable("", Problem.SESSION_ENDED)
        return self._open(session)

    def _open(self, session: ClusterSession) -> LoginCredential:
        """Unavailable `session_ended` when it was moved to another session, or its key is gone."""
        try:
            opened = self._sealer.open(session.sealed, uid=str(session.uid), binding=session.session_key)
        except Unavailable:
            raise Unavailable(session.person, Problem.SESSION_ENDED) from None
        return LoginCredential.from_json(opened)

    def _refused(self, pk: int, wholly: bool) -> None:
        """The API server took the credential no longer, or forbade what seemed allowed: then ask again soon."""
        if wholly:
            self._end(pk)
        elif known := self._known.get(pk):
            known.at = float("-inf")

    def _end(self, pk: int) -> None:
        session = ClusterSession.objects.filter(pk=pk).first()
        if session is not None and self._drop(pk):
            self._audit.record(Access(session.person), Action.LOGOUT, outcome="revoked")

    def _drop(self, pk: int) -> bool:
        """Whether this call was the one that dropped it."""
        session = ClusterSession.objects.filter(pk=pk).first()
        self._known.pop(pk, None)
        if session is None:
            return False
        if session.sealed:
            with suppress(Unavailable):  # nothing was kept of what cannot be opened
                self._api_server.forget(self._open(session))
        return bool(ClusterSession.objects.filter(pk=pk).delete()[0])


def reseal_credentials(sealer: Sealer) -> int:
    """Bring the credential of every session under the newest key; returns how many there are. One that no key opens
    is of no use to anybody, and goes."""
    kept = ClusterSession.objects.exclude(sealed="")
    for session in kept:
        try:
            sealer.reseal(session.sealed)
        except Unavailable:
            session.delete()
    return reseal_all(sealer, kept, "sealed")


def _live() -> QuerySet[ClusterSession]:
    """Those that have not expired and whose own session, in Django's table, is there."""
    now = timezone.now()
    theirs = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    return ClusterSession.objects.filter(Exists(theirs), expires_at__gt=now)
