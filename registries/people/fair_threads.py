"""Threads that people take turns with: one with thousands of questions does not keep another one with five waiting. And
seats for the requests that wait for the answers: each holds a thread of the server.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from registries.domain.errors import Problem, Unavailable
from registries.limits import Seats

T = TypeVar("T")
ASKING, ASKING_EACH = 12, 4
"""Requests that may wait for the API server's answer about access in this process, and those of one person."""
BRIEFLY, LOOK = 0.3, 0.01
"""Seconds that a request waits for a seat, and between two looks. An API server without a problem answers earlier."""
IDLE = 60.0
"""Seconds after which a thread without work ends."""


class FairThreads:
    """At most `count` daemon threads. They start when there is work."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, deque[Callable[[], None]]] = OrderedDict()
        """The calls of each person, the person whose turn is next first."""
        self._calls = self._threads = self._idle = 0

    def of(self, person: str) -> Executor:
        """The threads, for the calls of one person."""
        return _Share(partial(self._add, person))

    def _add(self, person: str, call: Callable[[], None]) -> None:
        with self._changed:
            self._waiting.setdefault(person, deque()).append(call)
            self._calls += 1
            if self._calls <= self._idle:
                self._changed.notify()
            elif self._threads < self._count:
                self._threads += 1
                threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        while call := self._next():
            call()

    def _next(self) -> Callable[[], None] | None:
        """Waits for the next call. None: this thread ends."""
        with self._changed:
            self._idle += 1
            has_work = self._changed.wait_for(lambda: self._waiting, IDLE)
            self._idle -= 1
            if not has_work:
                self._threads -= 1
                return None
            person, calls = self._waiting.popitem(last=False)
            call = calls.popleft()
            self._calls -= 1
            if calls:
                self._waiting[person] = calls
            return call


class _Share(Executor):
    def __init__(self, add: Callable[[Callable[[], None]], None]) -> None:
        self._add = add

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        self._add(partial(_run, future, partial(fn, *args, **kwargs)))
        return future


def _run(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001  the one who asked gets it
        future.set_exception(error)


class Askers:
    """Seats for the requests of a person that wait until the API server says what this person may do, whether they ask
    themselves or wait for another request that asks."""

    def __init__(self) -> None:
        self._seats = Seats(ASKING, each=ASKING_EACH)
        self._lock = threading.Lock()
        self._slow: set[str] = set()
        """The people of whom a request has waited for a seat in vain. Their next requests do not wait."""

    @contextmanager
    def seat(self, person: str) -> Iterator[None]:
        """Unavailable without a free seat. It is no answer of the cluster: access that was known before must not be
        used for longer."""
        self._sit_down(person)
        try:
            yield
        finally:
            self._seats.give_back(person)
            with self._lock:
                self._slow.discard(person)

    def _sit_down(self, person: str) -> None:
        until = time.monotonic() + BRIEFLY
        while not self._seats.take(person):
            with self._lock:
                if time.monotonic() >= until:
                    self._slow.add(person)
                if person in self._slow:
                    raise Unavailable("", Problem.CLUSTER_TIMEOUT, passing=True)
            time.sleep(LOOK)
