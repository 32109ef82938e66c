"""Django's authentication backends: for accounts, and for people of the cluster."""

from typing import TYPE_CHECKING

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest

from registries.log_in.sender import client_address
from registries.wiring import services

if TYPE_CHECKING:
    from registries.cluster.credential import LoginCredential
    from registries.models import ClusterSession

_FIELDS = ("id", "password", "is_superuser", "username", "is_active")
"""In the order of the model."""
_ACCOUNT = f"SELECT {', '.join(_FIELDS)} FROM {User._meta.db_table} WHERE id = %s"  # noqa: S608


class AccountBackend(ModelBackend):
    """Django's backend for accounts. The account of a session is read by a query that is written out: every page reads
    one, and Django takes longer to build the query than a database to answer it."""

    def get_user(self, user_id: int) -> User | None:
        """The active account with this id, or None. The fields that pages do not need are read when they are used."""
        with connection.cursor() as cursor:
            cursor.execute(_ACCOUNT, [user_id])
            row = cursor.fetchone()
        if row is None:
            return None
        key, password, superuser, username, active = row
        values = (key, password, bool(superuser), username, bool(active))  # SQLite answers with 0 and 1
        user = User.from_db(connection.alias, _FIELDS, values)
        return user if self.user_can_authenticate(user) else None


class ClusterBackend:
    """The argument is called `secret` because Django masks that name in the signal of a failed log-in."""

    def authenticate(
        self, request: HttpRequest | None, secret: "LoginCredential | None" = None
    ) -> "ClusterSession | None":
        """None if the cluster rejects the credential. Raises Unavailable if the cluster does not answer."""
        source = client_address(request) if request else ""
        return services().cluster_sessions.recognise(secret, source) if secret else None

    def get_user(self, user_id: int) -> "ClusterSession | None":
        return services().cluster_sessions.find(user_id)
