"""One probe at a time per registry."""

import threading
import time

from registries.probe import RegistryLocks, probe
from tests.peers.scripted import HERE, Reply, Request, registry_ok, scripted, unauthorized


class Registry:
    """Counts how many requests it answers at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = self.most = 0

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        time.sleep(0.02)
        with self._lock:
            self._inside -= 1
        return registry_ok() if request.authorization else unauthorized("Basic")


def test_one_registry_is_probed_once_at_a_time() -> None:
    registry, locks = Registry(), RegistryLocks()

    def probe_in_turn(address: str) -> None:
        assert locks.acquire(address)
        try:
            assert probe(address, "admin", "secret", HERE).ok
        finally:
            locks.release(address)

    with scripted(registry) as server:
        threads = [threading.Thread(target=probe_in_turn, args=(server.address,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(server.requests) == 12
    assert registry.most == 1
    assert len(locks) == 0, "no lock is kept for a registry that nobody probes"


def test_a_lock_is_not_awaited_for_longer_than_asked() -> None:
    locks = RegistryLocks()
    assert locks.acquire("a:443")
    assert not locks.acquire("a:443", timeout=0.01)
    assert locks.acquire("b:443", timeout=0.01)
    locks.release("b:443")
    locks.release("a:443")
    assert locks.acquire("a:443", timeout=0.01), "giving up leaves the lock usable"
    locks.release("a:443")
    assert len(locks) == 0
