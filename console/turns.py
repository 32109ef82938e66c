"""Whose request a thread of the server answers next: everybody gets a fair share of threads and processor.

A complete request waits here, without a thread, until its sender has a turn. The sender is a person, whatever sessions
and tokens this person uses, as far as an earlier request has shown that a session or token is valid. All other
requests count for the address of their client: those with a credential, and apart from them those without one, so that
a new log-in does not wait behind them. A sender who was told to slow down (429) and does not is slowed here: such
refusals cost processor time, too. The main loop of the worker calls everything here but `Turn.begin`.
"""

import re
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

COMPUTING = 2
"""Requests of one sender that compute at the same time: more would not be faster, because of the interpreter's lock."""
RESERVE = 4
"""Threads for senders who have none."""
PATIENCE = 10.0
"""Seconds that a request waits for its turn. After that it is refused."""
MOST_WAITING = 100
"""Requests of one sender that wait. Further ones are refused at once."""
MOST_BYTES = 16 * 2**20
"""Bytes of the requests of one sender that wait. One that does not fit is refused at once."""
PACE = 0.2
"""Seconds between two turns of a slowed sender while others have theirs."""
SLOWED = 10.0
"""Seconds from the last 429 of a sender."""
LOOK = 0.05
"""Seconds between two looks whether a request computes."""
IDLE_PART = 0.01
"""A thread that took a smaller part of the time from the processor waits for something: a server, a lock, a client."""
CREDENTIALS = 64
"""Sessions and tokens of one person that are remembered. The oldest makes room for the newest."""
_BEARER = re.compile(rb"\r\nauthorization:[ \t]*bearer[ \t]+([^\r\n]*)", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\ncookie:[ \t]*([^\r\n]*)", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Turn:
    """One request. `credential` is a digest, or empty. `person` is what its answer told: "" that the credential is not
    valid, and None nothing. `late`: the request has waited for too long, or too many wait."""

    start: Callable[["Turn"], None]
    credential: bytes
    sender: str
    size: int = 0
    since: float = field(default_factory=time.monotonic)
    person: str | None = None
    late: bool = False
    refused: bool = False
    """It was answered 429, for another reason than that it is late."""
    waits: bool = False
    """Whether its thread took no processor time when it was last looked at."""
    clock: int = 0
    used: float = 0.0
    looked: float = 0.0

    def begin(self) -> None:
        """The thread of the request calls it."""
        self.looked = time.monotonic()
        if hasattr(time, "pthread_getcpuclockid"):  # Linux has it
            clock = time.pthread_getcpuclockid(threading.get_ident())
            self.used = time.clock_gettime(clock)
            self.clock = clock

    def look(self, now: float) -> None:
        if not self.clock or now - self.looked < LOOK:
            return
        used = time.clock_gettime(self.clock)
        self.waits = used - self.used < IDLE_PART * (now - self.looked)
        self.used, self.looked = used, now


class Turns:
    """Up to `threads` requests have their turn at the same time."""

    def __init__(self, threads: int) -> None:
        self._free = threads
        self._each = max(1, threads // 2)
        self._reserve = min(RESERVE, threads // 2)
        self._waiting: OrderedDict[str, deque[Turn]] = OrderedDict()
        """By sender. The one whose last turn was longest ago comes first."""
        self._under_way: dict[str, set[Turn]] = {}
        self._slowed = Slowed()
        self.people = People()

    @property
    def anyone_waits(self) -> bool:
        return bool(self._waiting)

    def add(
        self,
        credential: bytes,
        address: str,
        start: Callable[[Turn], None],
        size: int = 0,
        *,
        posts: bool = False,
    ) -> Turn:
        """`start` gives the request to a thread. It is called now or later, once. Without a credential, one that posts
        something is a log-in: refused ones do not slow the pages for the others at the address."""
        kind = "credentials" if credential else "log-ins" if posts else "nobody"
        unknown = f"{kind} at {address}"
        sender = self.people.person(credential) or unknown
        turn = Turn(start, credential, sender, size)
        queue = self._waiting.setdefault(sender, deque())
        if len(queue) >= MOST_WAITING or (queue and size + sum(it.size for it in queue) > MOST_BYTES):
            turn.late = True
            start(turn)
        else:
            queue.append(turn)
            self._go_on()
        return turn

    def end(self, turn: Turn) -> None:
        """The thread has answered."""
        self.people.note(turn.credential, turn.person)
        if turn.late:
            return
        if turn.refused:
            self._slowed.add(self.people.person(turn.credential) or turn.sender)
        mine = self._under_way[turn.sender]
        mine.discard(turn)
        if not mine:
            del self._under_way[turn.sender]
        self._free += 1
        self._go_on()

    def look(self) -> None:
        """Looks who computes, and refuses what has waited for too long. Call it often while anyone waits."""
        now = time.monotonic()
        for sender in list(self._waiting):
            for turn in self._under_way.get(sender, ()):
                turn.look(now)
            queue = self._waiting[sender]
            while queue and now - queue[0].since > PATIENCE:
                turn = queue.popleft()
                turn.late = True
                turn.start(turn)
            if not queue:
                del self._waiting[sender]
        self._go_on()

    def _go_on(self) -> None:
        while self._free:
            fitting = [it for it in self._waiting if self._fits(it)]
            if not fitting:
                return
            sender = min(fitting, key=lambda it: len(self._under_way.get(it, ())))
            queue = self._waiting.pop(sender)
            turn = queue.popleft()
            if queue:
                self._waiting[sender] = queue
            self._under_way.setdefault(sender, set()).add(turn)
            self._free -= 1
            self._slowed.begin(sender)
            turn.start(turn)

    def _fits(self, sender: str) -> bool:
        mine = self._under_way.get(sender)
        if self._slowed.has_to_wait(sender) and any(it != sender for it in self._under_way):
            return False
        if not mine:
            return True
        computing = sum(not it.waits for it in mine)
        return computing < COMPUTING and len(mine) < self._each and self._free > self._reserve


class Slowed:
    """Senders who were told to slow down. Forgets each one after SLOWED."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        """By sender, the earliest first."""
        self._begun: dict[str, float] = {}

    def add(self, sender: str) -> None:
        self._forget()
        self._until.pop(sender, None)
        self._until[sender] = time.monotonic() + SLOWED

    def begin(self, sender: str) -> None:
        """The sender has a turn."""
        if sender in self._until:
            self._begun[sender] = time.monotonic()

    def has_to_wait(self, sender: str) -> bool:
        """Whether the last turn of a slowed sender was a moment ago."""
        self._forget()
        return time.monotonic() - self._begun.get(sender, float("-inf")) < PACE

    def _forget(self) -> None:
        now = time.monotonic()
        while self._until and self._until[first := next(iter(self._until))] <= now:
            del self._until[first]
            self._begun.pop(first, None)


class People:
    """The people of valid credentials, by digests that mean nothing outside of this process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._people: dict[bytes, str] = {}
        self._credentials: dict[str, deque[bytes]] = {}

    def credential(self, head: bytes, cookie: str) -> bytes:
        """The digest of the token and the session in the head of a request. Empty without both."""
        bearer, session = _BEARER.search(head), b""
        for pair in (found[1] if (found := _COOKIE.search(head)) else b"").split(b";"):
            name, _, value = pair.strip().partition(b"=")
            if name == cookie.encode():
                session = value
        if not bearer and not session:
            return b""
        text = (bearer[1].strip() if bearer else b"") + b"\n" + session
        return blake2b(text, key=self._key, digest_size=16).digest()

    def person(self, credential: bytes) -> str | None:
        return self._people.get(credential)

    def note(self, credential: bytes, person: str | None) -> None:
        """What the answer to a request told about its credential."""
        if not credential or person is None or self._people.get(credential) == person:
            return
        if before := self._people.pop(credential, None):
            self._credentials[before].remove(credential)
        if person:
            self._people[credential] = person
            kept = self._credentials.setdefault(person, deque())
            kept.append(credential)
            if len(kept) > CREDENTIALS:
                del self._people[kept.popleft()]
