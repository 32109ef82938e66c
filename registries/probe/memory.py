"""Remembers which token services check credentials."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

RealmKey = tuple[str, str, str]
"""The registry's origin, the realm's URL and the service. Holds no user, password or token."""

DAY = 86_400.0


class RealmMemory:
    """A bounded, thread-safe memory of realms that refused the negative control, kept for `seconds`.

    Only refusals are remembered, so closing an open registry takes effect at once. A Bearer probe of a remembered
    realm needs three requests (connection-test.md, "Proof").
    """

    def __init__(
        self, size: int = 256, seconds: float = DAY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[RealmKey, float] = OrderedDict()

    def checks_credentials(self, key: RealmKey) -> bool:
        """Whether this realm refused the negative control within the last `seconds`."""
        with self._lock:
            since = self._seen.get(key)
            if since is not None and self._clock() - since >= self._seconds:
                del self._seen[key]
                since = None
            return since is not None

    def remember(self, key: RealmKey) -> None:
        """Records that this realm refused the negative control now. The oldest entry is dropped when the memory is
        full."""
        with self._lock:
            self._seen[key] = self._clock()
            self._seen.move_to_end(key)
            while len(self._seen) > self._size:
                self._seen.popitem(last=False)

    def forget(self, key: RealmKey) -> None:
        """Removes a realm."""
        with self._lock:
            self._seen.pop(key, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._seen)
