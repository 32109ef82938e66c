"""Tokens that open nothing, written down: once a minute per address and token, since a client that keeps trying must
not fill the log.
"""

from datetime import UTC, datetime, timedelta

from registries.audit.action import Action, Audit
from registries.domain.access import Access

NOTED = timedelta(minutes=1)
KEPT = 1024


class Refusals:
    """Of a token that is not known nothing is kept: it may be some other secret, sent here by mistake."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._noted: dict[tuple[str, str], datetime] = {}

    def note(self, access: Access, note: str, token: str = "") -> None:
        """`access` is whose it is, as far as that is known, and from where it came; `token` is its public part."""
        now, what = datetime.now(UTC), (access.source, token)
        if now - self._noted.get(what, datetime.min.replace(tzinfo=UTC)) < NOTED:
            return
        if len(self._noted) >= KEPT:
            self._noted.clear()
        self._noted[what] = now
        self._audit.record(access, Action.TOKEN, outcome="Unauthorized", note=note)
