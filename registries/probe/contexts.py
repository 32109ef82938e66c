"""A cache of TLS contexts. Reading the system's certificates takes about 50 ms of CPU, many times the rest of a
probe."""

import ssl
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class TlsContexts:
    """A bounded, thread-safe cache. A context holds certificates, no key and no secret. Connections with the same
    context share nothing else: no TLS session is resumed."""

    def __init__(self, size: int = 32) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._made: OrderedDict[Hashable, ssl.SSLContext] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        """The context for this key, made by `make` if there is none; only one thread makes it. Errors of `make` are
        not caught. When the cache is full, the least recently used context is dropped."""
        with self._lock:
            context = self._made.pop(key, None) or make()
            self._made[key] = context
            while len(self._made) > self._size:
                self._made.popitem(last=False)
            return context

    def __len__(self) -> int:
        with self._lock:
            return len(self._made)
