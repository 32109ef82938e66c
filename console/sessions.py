"""Django's sessions in the database. A session is read by a query that is written out: every page reads one, and Django
takes longer to build the query than a database to answer it."""

from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

_DATA = (
    f"SELECT session_data FROM {Session._meta.db_table} "  # noqa: S608
    "WHERE session_key = %s AND expire_date > %s"
)

BEFORE = "django.contrib.auth.backends.ModelBackend"
"""The backend for accounts that earlier versions of the console wrote into sessions."""


class SessionStore(db.SessionStore):
    """Has the name of Django's class, because the signature of existing sessions contains it."""

    def load(self) -> dict[str, Any]:
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(_DATA, [self.session_key, now])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(row[0])
        if data.get(BACKEND_SESSION_KEY) == BEFORE:
            data[BACKEND_SESSION_KEY] = "registries.log_in.backend.AccountBackend"
        return data
