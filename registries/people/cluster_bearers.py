"""Programs that show a bearer token of the cluster with each request: whose it is and what they may do is the API
server's word, asked anew every few seconds. Nothing of a token is kept but its digest, for so long as it is used.

A browser logs in (cluster_sessions.py).
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from django.utils import timezone

from registries.cluster.credential import LoginCredential, read_token
from registries.cluster.personal import ApiServer, Person
from registries.domain.access import Access, Permission
from registries.domain.errors import Forbidden, Invalid, Problem, TooManyRequests, Unavailable
from registries.limits import Rates
from registries.people.cluster_access import REVIEWS_AT_ONCE, asked, asked_for_metrics, asked_in, kept, short
from registries.people.refusals import Refusals
from registries.people.tokens import MARK

KEPT = 1024
"""Tokens that are remembered; one that is forgotten is asked about again."""
ANSWERS = 16
"""Answers kept for one token."""
LOCKS = 64
PAUSE = 1.0
"""Seconds in which a server that could not be reached is not tried by the next request as well."""

Ask = Callable[..., Access]
EVERYTHING, METRICS = "everything", "/metrics"
"""What a question is about, unless it is about a namespace and a permission."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was heard, and when (monotonic seconds)."""

    access: Access
    at: float


class ClusterTokens:
    """Thread-safe. `namespaces` gives all that exist; what was heard is believed for `fresh_for` seconds, and not a
    moment longer when the API server is away: then it is Unavailable, but to a scraper. `questions` limits how often
    an address may show tokens that are not known."""

    def __init__(
        self,
        *,
        api_server: ApiServer,
        namespaces: Callable[[], Collection[str]],
        refusals: Refusals,
        questions: Rates,
        fresh_for: float,
    ) -> None:
        self._api_server = api_server
        self._namespaces = namespaces
        self._refusals = refusals
        self._questions = questions
        self._fresh_for = fresh_for
        self._threads = ThreadPoolExecutor(REVIEWS_AT_ONCE, "review")
        self._known: OrderedDict[str, dict[str, _Known]] = OrderedDict()
        """By fingerprint of the token, then by what was asked."""
        self._lock = threading.Lock()
        self._locks = tuple(threading.Lock() for _ in range(LOCKS))
        self._silence: tuple[float, Unavailable] | None = None

    def caller(
        self, text: str, source: str, namespace: str = "", permission: Permission = Permission.SEE
    ) -> Access | None:
        """The bearer's access, or None for a token that is not valid; that refusal is recorded.

        With a namespace, only that permission there (and SEE) is asked for. Unavailable; TooManyRequests.
        """
        if not namespace:
            return self._bearer(text, source, asked, EVERYTHING)
        return self._bearer(text, source, asked_in(namespace, permission), f"{namespace} {permission}")

    def scraper(self, text: str, source: str) -> Access | None:
        """The same for /metrics, which takes other rights. Forbidden.

        One who could read it before is let in for as long as sessions are while the API server is away: else nobody
        would be told that it is.
        """
        return self._bearer(text, source, asked_for_metrics, METRICS)

    def _bearer(self, text: str, source: str, ask: Ask, about: str) -> Access | None:
        problem = "unknown"
        try:
            # An access token of the console is nothing to show to the cluster.
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
        with self._locks[hash(token) % LOCKS]:  # of several requests at once, one asks
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
            name = self._api_server.identify(credential)
            connection = self._api_server.connection(credential)
            found = ask(connection, short(name), self._namespaces(), self._threads) if name else None
        except Unavailable as error:
            if error.problem != Problem.SESSION_ENDED:  # revoked between two questions
                told = Unavailable("", error.problem, passing=error.passing)  # without the person's name
                if told.problem == Problem.CLUSTER_AWAY:  # a late answer may be late for this token only
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

    def _forget(self, token: str, wholly: bool = True) -> None:
        """Asks again at once: the API server refused the token, or a call that seemed allowed."""
        with self._lock:
            self._known.pop(token, None)
