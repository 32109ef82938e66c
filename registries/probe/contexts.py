"""TLS contexts that were made before: to read a system's certificates takes some 50 ms of a processor, many
times the rest of a test. Standard library only."""

import ssl
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class TlsContexts:
    """A bounded, thread-safe store of contexts, by what they were made of. It holds certificates, no key
    and no secret; connections under one context share nothing else, no session is ever resumed."""

    def __init__(self, size: int = 32) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._made: OrderedDict[Hashable, ssl.SSLContext] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        """The context of this key, made if there is none: once, though many ask at the same time. Errors
        of `make` pass through; the one asked for least recently gives way when full."""
        with self._lock:
            context = self._made.pop(key, None) or make()
            self._made[key] = context
            while len(self._made) > self._size:
                self._made.popitem(last=False)
            return context

    def __len__(self) -> int:
        with self._lock:
            return len(self._made)
