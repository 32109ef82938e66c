"""Django's authentication backend for people of the cluster."""

from typing import TYPE_CHECKING

from django.http import HttpRequest

from registries.wiring import services

if TYPE_CHECKING:
    from registries.cluster.credential import LoginCredential
    from registries.models import ClusterSession


class ClusterBackend:
    """The argument is called `secret` because Django masks that name in the signal of a failed log-in."""

    def authenticate(
        self, request: HttpRequest | None, secret: "LoginCredential | None" = None
    ) -> "ClusterSession | None":
        """None if the cluster rejects the credential. Raises Unavailable if the cluster does not answer."""
        return services().cluster_sessions.recognise(secret) if secret else None

    def get_user(self, user_id: int) -> "ClusterSession | None":
        return services().cluster_sessions.find(user_id)
