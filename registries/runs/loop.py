"""Work that repeats for ever, in a thread of its own."""

import logging
import time
from collections.abc import Callable

from django.db import close_old_connections, connections

HELD = 10.0
"""A loop with a longer pause holds no connection to the database meanwhile."""

log = logging.getLogger(__name__)


def repeat(work: Callable[[], object], pause: float, failure: str) -> None:
    """Calls `work`, sleeps for `pause` seconds, and so on. `failure` is logged once for each outage."""
    failed = False
    while True:
        close_old_connections()
        try:
            work()
            failed = False
        except Exception:
            if not failed:
                log.exception(failure)
            failed = True
        if failed or pause > HELD:
            connections.close_all()
        time.sleep(pause)
