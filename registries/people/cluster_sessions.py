"""Sessions of people who log in with a credential of the cluster. Owns ClusterSession.

The credential is sealed and belongs to one session. Every call reads it again, so background work ends with
the session.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.cluster.credential import LoginCredential
from registries.cluster.personal import ApiServer, Person
from registries.domain.access import Access
from registries.domain.errors import ConsoleError, Problem, Unavailable
from registries.models import ClusterSession
from registries.people.cluster_access import REVIEWS_AT_ONCE, asked, kept, owner_of, short
from registries.people.fair_threads import Askers, FairThreads
from registries.people.grants import TIDY_EVERY
from registries.stores.sealing import Sealer, reseal_all

log = logging.getLogger(__name__)

AGAIN_AFTER = 5.0
"""Seconds before the next attempt after the API server was away."""
NEW = timedelta(minutes=1)
"""How long a new session may exist without a session key."""


@dataclass
class _Known:
    """The last known access of one session; times are in monotonic seconds."""

    access: Access | None = None
    at: float = float("-inf")
    error: ConsoleError | None = None
    failed_at: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)

    def within(self, seconds: float) -> Access | None:
        """The access, if it was asked for in the last seconds."""
        return self.access if time.monotonic() - self.at < seconds else None

    def while_away(self) -> Access | None:
        """The last access, if the last question failed and the error leaves it valid."""
        return self.access if self.error and time.monotonic() - self.at <= kept(self.error) else None


class ClusterSessions:
    """Thread-safe. Access is valid for `fresh_for` seconds. A session ends after `lasts`, or with its credential.

    `namespaces` returns all existing namespaces.
    """

    def __init__(
        self,
        *,
        api_server: ApiServer,
        sealer: Sealer,
        namespaces: Callable[[], Collection[str]],
        audit: AuditLog,
        askers: Askers,
        fresh_for: float,
        lasts: timedelta,
    ) -> None:
        self._api_server = api_server
        self._sealer = sealer
        self._namespaces = namespaces
        self._audit = audit
        self._fresh_for = fresh_for
        self._lasts = lasts
        self._threads = FairThreads(REVIEWS_AT_ONCE, "review")
        self._askers = askers
        self._known: dict[int, _Known] = {}
        self._tidied = time.monotonic()

    # Logging in and out

    def recognise(self, credential: LoginCredential, source: str) -> ClusterSession | None:
        """A new session for the owner of a credential, or None. Call `keep` next. Raises Unavailable."""
        with self._askers.seat(f"address {source}"):
            identity = self._api_server.identify(credential)
        if not identity.name:
            return None
        ends = timezone.now() + self._lasts
        expires_at = min(ends, credential.expires_at) if credential.expires_at else ends
        owner = owner_of(identity)
        return ClusterSession.objects.create(person=short(identity.name), owner=owner, expires_at=expires_at)

    def keep(self, session: ClusterSession, session_key: str, credential: LoginCredential) -> None:
        """Binds the sealed credential to the browser session with this key."""
        session.session_key = session_key
        with transaction.atomic():
            session.sealed = self._sealer.seal(
                credential.to_json(), uid=str(session.uid), binding=session_key
            )
            session.save(update_fields=["session_key", "sealed"])

    def forget(self, user: object) -> None:
        """Ends the session of a user who logs out. Ignores users that are no ClusterSession."""
        if isinstance(user, ClusterSession):
            self._drop(user.pk)

    def tidy(self) -> None:
        """Deletes the credentials of ended sessions."""
        self._tidied = time.monotonic()
        over = ClusterSession.objects.exclude(Q(pk__in=_live()) | Q(last_login__gt=timezone.now() - NEW))
        for pk in list(over.values_list("pk", flat=True)):
            self._drop(pk)

    @property
    def upkeep(self) -> Sequence[Callable[[], None]]:
        return (self.tidy,)

    # Access

    def find(self, pk: int) -> ClusterSession | None:
        """The session with its `access` or its `trouble`. None if the session is over."""
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
        """The access of a user from `find`, with the client address. Raises Unavailable. Empty for other users."""
        if not isinstance(user, ClusterSession):
            return Access(person="", source=source)
        if user.access is None:
            raise user.trouble or Unavailable(user.person, Problem.SESSION_ENDED)
        return replace(user.access, source=source)

    def access_now(self, access: Access) -> Access:
        """The current access of the same person, for background work. Raises Unavailable `session_ended`."""
        session = self.find(access.acting.session) if isinstance(access.acting, Person) else None
        if session is None:
            raise Unavailable(access.person, Problem.SESSION_ENDED)
        return replace(session.access, source=access.source) if session.access else access

    def _access(self, session: ClusterSession) -> Access:
        known = self._known.setdefault(session.pk, _Known())
        if access := known.within(self._fresh_for):
            return access
        with ExitStack() as held:
            try:
                held.enter_context(self._askers.seat(session.owner))
            except Unavailable:
                if access := known.while_away():
                    return access
                raise
            held.enter_context(known.lock)  # one of several parallel requests asks
            access = known.within(self._fresh_for) or self._ask(session, known) or known.while_away()
        if access is None:
            raise known.error.with_traceback(None) if known.error else Unavailable(session.person)
        return access

    def _ask(self, session: ClusterSession, known: _Known) -> Access | None:
        """The cluster's answer, noted in `known`. None after an error, and shortly after the last one."""
        now = time.monotonic()
        if known.error is not None and now - known.failed_at < AGAIN_AFTER:
            return None
        try:
            known.access, known.at, known.error = self._asked(session), now, None
        except ConsoleError as error:
            known.error, known.failed_at = error, now
            return None
        return known.access

    def _asked(self, session: ClusterSession) -> Access:
        connection = self._api_server.connection(self._open(session))
        access = asked(connection, session.person, self._namespaces, self._threads.of(session.owner))
        credential, refused = partial(self._credential, session.pk), partial(self._refused, session.pk)
        return replace(
            access, owner=session.owner, acting=Person(self._api_server, session.pk, credential, refused)
        )

    # The credential

    def _credential(self, pk: int) -> LoginCredential:
        session = _live().filter(pk=pk).first()
        if session is None:
            raise Unavailable("", Problem.SESSION_ENDED)
        return self._open(session)

    def _open(self, session: ClusterSession) -> LoginCredential:
        """The credential. Unavailable `session_ended` if it was sealed for another session or its key is gone."""
        try:
            opened = self._sealer.open(session.sealed, uid=str(session.uid), binding=session.session_key)
        except Unavailable:
            raise Unavailable(session.person, Problem.SESSION_ENDED) from None
        return LoginCredential.from_json(opened)

    def _refused(self, pk: int, wholly: bool) -> None:
        """The API server rejected the credential (`wholly`: ends the session) or forbade an action."""
        if wholly:
            self._end(pk)
        elif known := self._known.get(pk):
            known.at = float("-inf")

    def _end(self, pk: int) -> None:
        session = ClusterSession.objects.filter(pk=pk).first()
        if session is not None and self._drop(pk):
            self._audit.record(Access(session.person, owner=session.owner), Action.LOGOUT, outcome="revoked")

    def _drop(self, pk: int) -> bool:
        """Deletes a session. Returns whether this call deleted it."""
        session = ClusterSession.objects.filter(pk=pk).first()
        self._known.pop(pk, None)
        if session is None:
            return False
        if session.sealed:
            with suppress(Unavailable):  # an unreadable credential has no connection
                self._api_server.forget(self._open(session))
        return bool(ClusterSession.objects.filter(pk=pk).delete()[0])


def reseal_credentials(sealer: Sealer) -> int:
    """Seals every credential with the newest key and returns the count. Deletes a session that no key opens."""
    kept = ClusterSession.objects.exclude(sealed="")
    for session in kept:
        if not sealer.opens(session.sealed):
            session.delete()
    return reseal_all(sealer, kept, "sealed")


def _live() -> QuerySet[ClusterSession]:
    """Sessions that have not expired and still have a row in Django's session table."""
    now = timezone.now()
    theirs = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    return ClusterSession.objects.filter(Exists(theirs), expires_at__gt=now)
