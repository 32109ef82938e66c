"""The browser sessions of an account."""

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone


def end_sessions(user: User) -> int:
    """Deletes every session of an account. Returns their number.

    A session names its account inside its signed data only, so all sessions are read.
    """
    current = Session.objects.filter(expire_date__gt=timezone.now()).iterator()
    ended = [it.session_key for it in current if it.get_decoded().get(SESSION_KEY) == str(user.pk)]
    return Session.objects.filter(session_key__in=ended).delete()[0]
