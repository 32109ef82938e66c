"""The use cases around pull secrets: how they stand, what uses them, the default service account. See service.py."""

from collections.abc import Sequence

from registries.domain.access import Access, Permission
from registries.domain.errors import Conflict, Unavailable
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import to_domain
from registries.service.reading import Reading
from registries.stores.base import Binding, PullSecret, Usage
from registries.verification.records import Action


class Pulling(Reading):
    """Only a store on a cluster has pull secrets."""

    @property
    def has_pull_secrets(self) -> bool:
        return self._store.pull_secret_users() is not None

    def pull_secret(self, *, access: Access, registry: RegistrySecret) -> PullSecret | None:
        """How the Secret stands that kubelets use; None when the store cannot tell now."""
        self._require(access, Permission.SEE, registry.key, Action.SEE)
        if self.freshness().away:
            return None
        try:
            return self._store.pull_secret(registry.key)
        except Unavailable:
            return None

    def upkeep_problem(self) -> Unavailable | None:
        """Why the Secrets are not kept in the background; see stores/base.py."""
        return self._store.upkeep_problem()

    def binding(self, *, access: Access, key: Key) -> Binding:
        """Whether the default service account of its namespace names it."""
        self._require(access, Permission.SEE, key, Action.SEE)
        users = self._store.acting_as(access.acting).pull_secret_users()
        return users.binding(key) if users else Binding.UNKNOWN

    def bind(self, *, access: Access, key: Key, uid: str, bound: bool) -> None:
        """Bind the default service account of its namespace to the pull secret, or unbind it.

        NotFound; Forbidden, also when the cluster forbids this person the service account; Conflict `recreated`,
        `no_service_account`, or `pull_secret_foreign` when the Secret of that name is somebody else's.
        """
        action = Action.BIND if bound else Action.UNBIND
        self._require(access, Permission.CREATE, key, action)
        if to_domain(self._store.get(key)).uid != uid:
            raise Conflict(str(key), "recreated")
        if bound and self._store.pull_secret(key) is PullSecret.FOREIGN:
            raise Conflict(str(key), "pull_secret_foreign")
        with self._writing(access, action, key) as store:
            users = store.pull_secret_users()
            if users is None:
                raise Conflict(str(key), "no_pull_secrets")
            users.bind(key, bound=bound)
            self._audit.record(access, action, key=key, uid=uid)

    def usage(self, *, access: Access, keys: Sequence[Key]) -> Usage:
        """What names the pull secrets of these registries, for somebody who may delete them; those that are not
        there any more are used by nothing. Forbidden, NotFound."""
        for key in keys:
            self._require(access, Permission.DELETE, key, Action.DELETE)
        users = self._store.acting_as(access.acting).pull_secret_users()
        snapshot = self._index.fresh()
        found = [registry for key in keys if (registry := snapshot.find(key))]
        return users.usage({it.key: it.domain for it in found}) if users and found else Usage()
