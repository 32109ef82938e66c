"""Deletes expired browser sessions when the server starts, and once a day."""

import logging
import time

from django.contrib.sessions.backends.db import SessionStore
from django.db import connections

DAY = 24 * 3600.0

log = logging.getLogger(__name__)


def keep_sessions_tidy() -> None:
    """Runs for ever, in its own thread. Several processes may run it: a second deletion is harmless."""
    while True:
        try:
            SessionStore.clear_expired()
        except Exception:
            log.exception("deleting expired sessions failed")
        finally:
            connections.close_all()
        time.sleep(DAY)
