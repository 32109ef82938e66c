"""What each process has of its own. A fork copies no threads, but locks that are held, and it shares sockets. Imports
the standard library only.
"""

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Made by `make` when a process first asks for it. A child of that process makes another one."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._making = threading.Lock()
        _all.add(self)

    def here(self) -> T:
        """That of this process."""
        if (made := self._made) is not None:
            return made
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def forget(self) -> None:
        """What a process does that was just born."""
        self._made = None
        self._making = threading.Lock()


_all: WeakSet[PerProcess[Any]] = WeakSet()


def _forget() -> None:
    for one in list(_all):
        one.forget()


os.register_at_fork(after_in_child=_forget)
