"""The use cases of pull secrets: their state, what uses them, and the default service account."""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, NotFound, Problem, Unavailable
from registries.domain.registry import Key, RegistrySecret
from registries.index.search import Index
from registries.pull_secrets.kinds import Binding, PullSecret, Usage
from registries.service.guard import Guard
from registries.stores.base import Store

AT_ONCE = 8


@dataclass(eq=False)
class PullSecretUse:
    """Pull secrets exist only where the store is a cluster. `bound` is called with the uid of a registry after it was
    bound or unbound."""

    _store: Store
    _index: Index
    _guard: Guard
    _audit: AuditLog
    _bound: Callable[[str], None]

    @property
    def available(self) -> bool:
        """Whether the store keeps pull secrets."""
        return self._store.keeps_secrets

    def state(self, *, access: Access, registry: RegistrySecret) -> PullSecret | None:
        """The state of the Secret that kubelets use; None when the store cannot tell now."""
        self._guard.require(access, Permission.SEE, registry.key, Action.SEE)
        if self._index.freshness().problem:
            return None
        try:
            return self._store.pull_secret(registry.key)
        except Unavailable:
            return None

    def upkeep_problem(self) -> Unavailable | None:
        """Why the console does not maintain the Secrets in the background, or None."""
        return self._store.upkeep_problem()

    def binding(self, *, access: Access, key: Key) -> Binding:
        """Whether the default service account of the namespace names the pull secret."""
        return self.bindings(access=access, keys=[key])[key]

    def bindings(self, *, access: Access, keys: Collection[Key]) -> dict[Key, Binding]:
        """The same for several pull secrets, read at once."""
        for key in keys:
            self._guard.require(access, Permission.SEE, key, Action.SEE)
        users = self._store.acting_as(access.acting).pull_secret_users()
        if users is None:
            return dict.fromkeys(keys, Binding.UNKNOWN)
        with ThreadPoolExecutor(AT_ONCE, "bindings") as threads:
            return dict(zip(keys, threads.map(users.binding, keys), strict=True))

    def of_accounts(self, *, access: Access, keys: Collection[Key]) -> dict[Key, frozenset[str]]:
        """The pull secrets that service accounts name, by namespace and name. One that cannot be read is left out."""
        for key in keys:
            self._guard.require(access, Permission.SEE, key, Action.SEE)
        users = self._store.acting_as(access.acting).pull_secret_users()
        if users is None or not keys:
            return {}
        with ThreadPoolExecutor(AT_ONCE, "accounts") as threads:
            found = zip(keys, threads.map(users.of_account, keys), strict=True)
            return {key: names for key, names in found if names is not None}

    def bind(self, *, access: Access, key: Key, uid: str, bound: bool, gone: bool = False) -> None:
        """Binds the default service account of the namespace to the pull secret, or unbinds it. `gone`: the registry
        is deleted; only for a caller that knows who bound it.

        NotFound; Forbidden, also when the cluster forbids this person the service account; Conflict `recreated`,
        `no_service_account`, or `pull_secret_foreign` when the Secret of that name is somebody else's.
        """
        action = Action.BIND if bound else Action.UNBIND
        self._guard.require(access, Permission.CREATE, key, action)
        if not gone and self._store.get(key).uid != uid:
            raise Conflict(str(key), Problem.RECREATED)
        if bound and self._store.pull_secret(key) is PullSecret.FOREIGN:
            raise Conflict(str(key), Problem.PULL_SECRET_FOREIGN)
        with self._guard.writing(access, action, key) as store:
            users = store.pull_secret_users()
            if users is None:
                raise Conflict(str(key), Problem.NO_PULL_SECRETS)
            users.bind(key, bound=bound)
            self._audit.record(access, action, key=key, uid=uid)
            self._bound(uid)

    def usage(self, *, access: Access, keys: Sequence[Key]) -> Usage:
        """What names the pull secrets of these registries, for a person who may delete them. Forbidden, NotFound.

        Registries that no longer exist are used by nothing.
        """
        for key in keys:
            self._guard.require(access, Permission.DELETE, key, Action.DELETE)
        users = self._store.acting_as(access.acting).pull_secret_users()
        found = [registry for key in keys if (registry := self._find(key))]
        return users.usage({it.key: it.address for it in found}) if users and found else Usage()

    def _find(self, key: Key) -> RegistrySecret | None:
        """From the index, or from the store if the index leaves registries of the namespace out."""
        snapshot = self._index.fresh()
        found = snapshot.find(key)
        if found is None and key.namespace in snapshot.left_out:
            with suppress(NotFound):
                return self._store.get(key)
        return found
