"""Django's door for people of the cluster: who logs in with a credential, and whose session a cookie is."""

from typing import TYPE_CHECKING

from django.http import HttpRequest

from registries.wiring import services

if TYPE_CHECKING:
    from registries.cluster.credential import LoginCredential
    from registries.models import ClusterSession


class ClusterBackend:
    """`secret`, since Django masks what is called so in the signal of a failed log-in."""

    def authenticate(
        self, request: HttpRequest | None, secret: "LoginCredential | None" = None
    ) -> "ClusterSession | None":
        """None for a credential that the cluster does not take. Unavailable when that cannot be said."""
        return services().cluster_sessions.recognise(secret) if secret else None

    def get_user(self, user_id: int) -> "ClusterSession | None":
        return services().cluster_sessions.find(user_id)
