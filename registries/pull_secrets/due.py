"""Registries whose pull secrets are due for a check. The namespaces take turns: a thousand changes in one of them
do not keep the pull secrets of others waiting."""

from collections import OrderedDict

from registries.domain.registry import Key


class Due:
    """When each registry is due, in monotonic seconds. Not thread-safe."""

    def __init__(self) -> None:
        self._at: OrderedDict[str, dict[Key, float]] = OrderedDict()
        """By namespace, the one whose turn is next first."""

    def put(self, key: Key, at: float) -> None:
        self._at.setdefault(key.namespace, {})[key] = at

    def put_earlier(self, key: Key, at: float) -> None:
        """Does not postpone a registry that is due."""
        self.put(key, min(self.at(key, at), at))

    def put_later(self, key: Key, at: float) -> None:
        """Leaves a registry that is due alone."""
        self.put(key, self.at(key, at))

    def at(self, key: Key, otherwise: float) -> float:
        return self._at.get(key.namespace, {}).get(key, otherwise)

    def take(self, now: float) -> Key | None:
        """Takes the first registry that is due, of the next namespace that has one."""
        for namespace, its in self._at.items():
            key = next((key for key, at in its.items() if at <= now), None)
            if key is not None:
                self.drop(key)
                if namespace in self._at:
                    self._at.move_to_end(namespace)
                return key
        return None

    def drop(self, key: Key) -> bool:
        """Returns whether it was due, now or later."""
        its = self._at.get(key.namespace, {})
        found = its.pop(key, None) is not None
        if not its:
            self._at.pop(key.namespace, None)
        return found

    def clear(self) -> None:
        self._at.clear()

    def first(self, otherwise: float) -> float:
        """When the first of all is due."""
        return min((at for its in self._at.values() for at in its.values()), default=otherwise)
