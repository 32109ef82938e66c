"""Audits rejected tokens, once a minute per address and token, so that a retrying client does not fill the log."""

from datetime import UTC, datetime, timedelta

from registries.audit.action import Action
from registries.audit.log import AuditLog
from registries.domain.access import Access

NOTED = timedelta(minutes=1)
KEPT = 1024


class Refusals:
    """Stores nothing of an unknown token: it may be another secret, sent by mistake."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._noted: dict[tuple[str, str], datetime] = {}

    def note(self, access: Access, note: str, token: str = "") -> None:
        """`access` has the owner, if known, and the client address; `token` is the public prefix."""
        now, what = datetime.now(UTC), (access.source, token)
        if now - self._noted.get(what, datetime.min.replace(tzinfo=UTC)) < NOTED:
            return
        if len(self._noted) >= KEPT:
            self._noted.clear()
        self._noted[what] = now
        self._audit.record(access, Action.TOKEN, outcome="Unauthorized", note=note)
