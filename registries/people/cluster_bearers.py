"""Programs that show a bearer token of the cluster with each request: whose it is and what they may do is the API
server's word, asked anew every few seconds. Nothing of a token is kept but its digest, for so long as it is used.

May import the gate of stores/kubernetes, cluster_access, refusals, rates. A browser logs in (cluster_sessions.py).
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from django.utils import timezone

from registries.cluster.credential import Proof, read_token
from registries.cluster.failures import AWAY
from registries.cluster.personal import Gate, Person
from registries.domain.access import Access
from registries.domain.errors import SESSION_ENDED, Forbidden, Invalid, Problem, TooManyRequests, Unavailable
from registries.limits import Rates
from registries.people.cluster_access import REVIEWS_AT_ONCE, asked, asked_for_metrics, kept, short
from registries.people.refusals import Refusals
from registries.people.tokens import MARK

KEPT = 1024
"""Tokens that are remembered; one that is forgotten is asked about again."""
LOCKS = 64
PAUSE = 1.0
"""Seconds in which a server that could not be reached is not tried by the next request as well."""

Ask = Callable[..., Access]


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
        gate: Gate,
        namespaces: Callable[[], Collection[str]],
        refusals: Refusals,
        questions: Rates,
        fresh_for: float,
    ) -> None:
        self._gate = gate
        self._namespaces = namespaces
        self._refusals = refusals
        self._questions = questions
        self._fresh_for = fresh_for
        self._threads = ThreadPoolExecutor(REVIEWS_AT_ONCE, "review")
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()
        self._locks = tuple(threading.Lock() for _ in range(LOCKS))
        self._silence: tuple[float, Unavailable] | None = None

    def caller(self, text: str, source: str) -> Access | None:
        """What the bearer may do, written as them; None when the token opens nothing, which is written down.

        Unavailable when the API server cannot say; TooManyRequests.
        """
        return self._bearer(text, source, asked)

    def scraper(self, text: str, source: str) -> Access | None:
        """The same for /metrics, which takes other rights. Forbidden.

        One who could read it before is let in for as long as sessions are while the API server is away: else nobody
        would be told that it is.
        """
        return self._bearer(text, source, asked_for_metrics)

    def _bearer(self, text: str, source: str, ask: Ask) -> Access | None:
        problem = "unknown"
        try:
            # An access token of the console is nothing to show to the cluster.
            proof = None if text.startswith(MARK) else read_token(text, timezone.now())
        except Invalid as error:
            proof = None
            problem = "expired" if error.causes[0].problem == Problem.PROOF_EXPIRED else problem
        access = self._access(proof, source, ask) if proof else None
        if access is None:
            self._refusals.note(Access("?", source), problem)
        return access

    def _access(self, proof: Proof, source: str, ask: Ask) -> Access | None:
        key = f"{ask.__name__} {proof.fingerprint}"
        with self._locks[hash(key) % LOCKS]:  # of several requests at once, one asks
            access = self._fresh(key) or self._heard(key, proof, source, ask)
        if access is None:
            return None
        acting = Person(self._gate, 0, lambda: proof, partial(self._forget, key))
        return replace(access, source=source, acting=acting, administers=False)

    def _fresh(self, key: str) -> Access | None:
        with self._lock:
            known = self._known.get(key)
            return known.access if known and time.monotonic() - known.at < self._fresh_for else None

    def _heard(self, key: str, proof: Proof, source: str, ask: Ask) -> Access | None:
        try:
            return self._ask(key, proof, source, ask)
        except Forbidden:
            self._forget(key)
            raise
        except Unavailable as error:
            known = self._known.get(key) if ask is asked_for_metrics else None
            if known is None or time.monotonic() - known.at > kept(error):
                raise
            return known.access

    def _ask(self, key: str, proof: Proof, source: str, ask: Ask) -> Access | None:
        wait = 0 if key in self._known else self._questions.wait(f"address {source}")
        if wait:
            raise TooManyRequests(retry_after=wait)
        silence = self._silence
        if silence and time.monotonic() - silence[0] < PAUSE:
            raise silence[1].with_traceback(None)
        try:
            name = self._gate.identify(proof)
            connection = self._gate.connection(proof)
            found = ask(connection, short(name), self._namespaces(), self._threads) if name else None
        except Unavailable as error:
            if error.problem != SESSION_ENDED:  # revoked between two questions
                told = Unavailable("", error.problem, passing=error.passing)  # in nobody's name
                if told.problem == AWAY:  # an answer that is late may be late for this token only
                    self._silence = (time.monotonic(), told)
                raise told from None
            found = None
        if found is None:
            self._forget(key)
        else:
            self._remember(key, found)
        return found

    def _remember(self, key: str, access: Access) -> None:
        with self._lock:
            self._known[key] = _Known(access, time.monotonic())
            self._known.move_to_end(key)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)

    def _forget(self, key: str, wholly: bool = True) -> None:
        """The API server does not take it, or forbade what seemed allowed: ask again at once."""
        with self._lock:
            self._known.pop(key, None)
