"""Objects that each process has to make for itself.

A fork copies no threads, but it copies held locks and shares sockets.
"""

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")


class PerProcess(Generic[T]):
    """An object made by `make` on first use in each process."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._making = threading.Lock()
        _all.add(self)

    def here(self) -> T:
        """The object of this process."""
        if (made := self._made) is not None:
            return made
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def forget(self) -> None:
        """Drops the object. Called in a child process after a fork."""
        self._made = None
        self._making = threading.Lock()


_all: WeakSet[PerProcess[Any]] = WeakSet()


def _forget() -> None:
    for one in list(_all):
        one.forget()


os.register_at_fork(after_in_child=_forget)
