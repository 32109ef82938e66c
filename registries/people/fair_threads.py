"""Threads that people take turns with: one with thousands of questions does not keep another one with five waiting."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
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
