"""One probe at a time per registry, for a whole process."""

import threading


class RegistryLocks:
    """One lock per registry. A lock exists while somebody holds it or waits for it. All probes of a process share one
    object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    def acquire(self, registry: str, timeout: float | None = None) -> bool:
        """Waits for the lock of a registry, at most `timeout` seconds if given. Release it only after True."""
        with self._lock:
            lock, users = self._locks.get(registry, (threading.Lock(), 0))
            self._locks[registry] = (lock, users + 1)
        acquired = lock.acquire(timeout=-1 if timeout is None else timeout)
        if not acquired:
            self._forget_user(registry)
        return acquired

    def release(self, registry: str) -> None:
        self._forget_user(registry).release()

    def _forget_user(self, registry: str) -> threading.Lock:
        with self._lock:
            lock, users = self._locks.pop(registry)
            if users > 1:
                self._locks[registry] = (lock, users - 1)
        return lock

    def __len__(self) -> int:
        with self._lock:
            return len(self._locks)
