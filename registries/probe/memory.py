"""What is known of token services: that one of them does check credentials. Imports the standard library."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

RealmKey = tuple[str, str, str]
"""The registry's origin, the realm's URL, the service; never a user, a password or a token."""

DAY = 86_400.0


class RealmMemory:
    """A bounded, thread-safe memory of realms that were seen to refuse strangers, kept for `seconds`.
    Only this is remembered: an administrator who closes an open registry is believed at once. Bearer
    tests of a remembered realm need three requests (connection-test.md, "Proof")."""

    def __init__(
        self, size: int = 256, seconds: float = DAY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[RealmKey, float] = OrderedDict()

    def checks_credentials(self, key: RealmKey) -> bool:
        """Whether this realm was seen to refuse a stranger within the last `seconds`."""
        with self._lock:
            since = self._seen.get(key)
            if since is not None and self._clock() - since >= self._seconds:
                del self._seen[key]
                since = None
            return since is not None

    def remember(self, key: RealmKey) -> None:
        """Note that this realm refused a stranger just now; the oldest note gives way when full."""
        with self._lock:
            self._seen[key] = self._clock()
            self._seen.move_to_end(key)
            while len(self._seen) > self._size:
                self._seen.popitem(last=False)

    def forget(self, key: RealmKey) -> None:
        """Drop what is known of a realm."""
        with self._lock:
            self._seen.pop(key, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._seen)
