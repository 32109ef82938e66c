"""Browser sessions that have expired: their rows are deleted when the server starts, and once a day."""

import logging
import time

from django.contrib.sessions.backends.db import SessionStore
from django.db import connections

DAY = 24 * 3600.0

log = logging.getLogger(__name__)


def keep_sessions_tidy() -> None:
    """Runs for ever, in a thread of its own. Several processes may do this at once: deleting twice is harmless."""
    while True:
        try:
            SessionStore.clear_expired()
        except Exception:
            log.exception("deleting expired sessions failed")
        finally:
            connections.close_all()
        time.sleep(DAY)
