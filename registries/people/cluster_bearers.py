"""Programs with a bearer token of the cluster. The API server names the owner and the access, every few seconds.

The console keeps only the digest of a token, in memory.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from weakref import WeakValueDictionary

from django.utils import timezone

from registries.cluster.credential import LoginCredential, read_token
from registries.cluster.personal import ApiServer, Person
from registries.domain.access import Access, Permission
from registries.domain.errors import Forbidden, Invalid, Problem, TooManyRequests, Unavailable
from registries.limits import Rates
from registries.people.cluster_access import (
    REVIEWS_AT_ONCE,
    asked,
    asked_for_metrics,
    asked_in,
    kept,
    owner_of,
    short,
)
from registries.people.fair_threads import Askers, FairThreads
from registries.people.tokens import MARK, Refusals

KEPT = 1024
"""Maximum number of tokens in memory. The API server is asked again about any other token."""
ANSWERS = 16
"""Answers kept for one token."""
PAUSE = 1.0
"""Seconds without a new attempt after the API server was unreachable."""

Ask = Callable[..., Access]
EVERYTHING, METRICS = "everything", "/metrics"
"""What a question is about, unless it is about a namespace and a permission."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The last answer of the API server; `at` is in monotonic seconds."""

    access: Access
    at: float


class _Asking:
    """The requests that ask with one token now. A lock for several tokens would make people wait for others."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class ClusterTokens:
    """Thread-safe. An answer is valid for `fresh_for` seconds; for a scraper, longer while the API server is away.

    `namespaces` returns all existing namespaces. `questions` limits unknown tokens per client address.
    """

    def __init__(
        self,
        *,
        api_server: ApiServer,
        namespaces: Callable[[], Collection[str]],
        refusals: Refusals,
        questions: Rates,
        askers: Askers,
        fresh_for: float,
    ) -> None:
        self._api_server = api_server
        self._namespaces = namespaces
        self._refusals = refusals
        self._questions = questions
        self._askers = askers
        self._fresh_for = fresh_for
        self._threads = FairThreads(REVIEWS_AT_ONCE, "review")
        self._known: OrderedDict[str, dict[str, _Known]] = OrderedDict()
        """By fingerprint of the token, then by what was asked."""
        self._lock = threading.Lock()
        self._asking: WeakValueDictionary[str, _Asking] = WeakValueDictionary()
        self._silence: tuple[float, Unavailable] | None = None

    def caller(self, text: str, source: str, namespace: str = "", *permissions: Permission) -> Access | None:
        """The bearer's access, or None for a token that is not valid; that refusal is recorded.

        With a namespace, only these permissions there (and SEE) are asked for. Unavailable; TooManyRequests.
        """
        if not namespace:
            return self._bearer(text, source, asked, EVERYTHING)
        return self._bearer(
            text, source, asked_in(namespace, *permissions), " ".join((namespace, *permissions))
        )

    def scraper(self, text: str, source: str) -> Access | None:
        """The access of a token for /metrics, or None. Forbidden, Unavailable, TooManyRequests.

        While the API server is away, a known scraper keeps its access, so that Prometheus sees the outage.
        """
        return self._bearer(text, source, asked_for_metrics, METRICS)

    def _bearer(self, text: str, source: str, ask: Ask, about: str) -> Access | None:
        problem = "unknown"
        try:
            # Never send an access token of the console to the cluster.
            credential = None if text.startswith(MARK) else read_token(text, timezone.now())
        except Invalid as error:
            credential = None
            problem = "expired" if error.causes[0].problem == Problem.PROOF_EXPIRED else problem
        access = self._access(credential, source, ask, about) if credential else None
        if access is None:
            self._refusals.note(Access("?", source), problem)
        return access

    def _access(self, credential: LoginCredential, source: str, ask: Ask, about: str) -> Access | None:
        token = credential.fingerprint
        with self._lock:
            asking = self._asking.setdefault(token, _Asking())
        access = self._fresh(token, about)
        if access is None:
            with self._askers.seat(self._owner(token) or f"address {source}"), asking.lock:
                # one of several parallel requests asks
                access = self._fresh(token, about) or self._heard(credential, source, ask, about)
        if access is None:
            return None
        acting = Person(self._api_server, 0, lambda: credential, partial(self._forget, token))
        return replace(access, source=source, acting=acting, administers=False)

    def _fresh(self, token: str, about: str) -> Access | None:
        """An answer that is still believed. One about everything also answers for a namespace."""
        with self._lock:
            answers = self._known.get(token, {})
            for known in (answers.get(about), answers.get(EVERYTHING) if about != METRICS else None):
                if known and time.monotonic() - known.at < self._fresh_for:
                    return known.access
        return None

    def _owner(self, token: str) -> str:
        """Whose token it is; "" before the first answer."""
        with self._lock:
            return next((it.access.owner for it in self._known.get(token, {}).values()), "")

    def _heard(self, credential: LoginCredential, source: str, ask: Ask, about: str) -> Access | None:
        try:
            return self._ask(credential, source, ask, about)
        except Forbidden:
            self._forget(credential.fingerprint)
            raise
        except Unavailable as error:
            known = self._known.get(credential.fingerprint, {}).get(METRICS) if about == METRICS else None
            if known is None or time.monotonic() - known.at > kept(error):
                raise
            return known.access

    def _ask(self, credential: LoginCredential, source: str, ask: Ask, about: str) -> Access | None:
        wait = 0 if credential.fingerprint in self._known else self._questions.wait(f"address {source}")
        if wait:
            raise TooManyRequests(retry_after=wait)
        silence = self._silence
        if silence and time.monotonic() - silence[0] < PAUSE:
            raise silence[1].with_traceback(None)
        try:
            identity = self._api_server.identify(credential)
            found = None
            if identity.name:
                connection = self._api_server.connection(credential)
                access = ask(
                    connection, short(identity.name), self._namespaces, self._threads.of(owner_of(identity))
                )
                found = replace(access, owner=owner_of(identity))
        except Unavailable as error:
            if error.problem != Problem.SESSION_ENDED:  # revoked between two reviews
                told = Unavailable("", error.problem, passing=error.passing)  # without the person's name
                if told.problem == Problem.CLUSTER_AWAY:  # a timeout may concern only this token
                    self._silence = (time.monotonic(), told)
                raise told from None
            found = None
        if found is None:
            self._forget(credential.fingerprint)
        else:
            self._remember(credential.fingerprint, about, found)
        return found

    def _remember(self, token: str, about: str, access: Access) -> None:
        with self._lock:
            answers = {**self._known.pop(token, {}), about: _Known(access, time.monotonic())}
            while len(answers) > ANSWERS:
                answers.pop(next(iter(answers)))
            self._known[token] = answers
            if len(self._known) > KEPT:
                self._known.popitem(last=False)

    def _forget(self, token: str, _wholly: bool = True) -> None:
        """Drops the answers, after the API server rejected the token or forbade an action."""
        with self._lock:
            self._known.pop(token, None)
