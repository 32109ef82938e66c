"""Expired browser sessions go; the others stay."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from registries.people import sessions


class EndOfTest(Exception):
    """Ends the loop that otherwise runs for ever."""


def test_expired_sessions_are_deleted_at_once_and_every_day(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert set(Session.objects.values_list("session_key", flat=True)) == {"lasts"}
        Session.objects.create(session_key="ran-out-later", expire_date=now - timedelta(seconds=1))
        if len(slept) == 2:
            raise EndOfTest

    monkeypatch.setattr(sessions.time, "sleep", sleep)
    monkeypatch.setattr(sessions.connections, "close_all", lambda: None)  # the test's own transaction
    Session.objects.create(session_key="ran-out", expire_date=now - timedelta(days=1))
    Session.objects.create(session_key="lasts", expire_date=now + timedelta(minutes=5))

    with pytest.raises(EndOfTest):
        sessions.keep_sessions_tidy()

    assert slept == [86400, 86400]
