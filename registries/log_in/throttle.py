"""Limits of password checks, shared by all processes: per client address, and per user name.

A check is taken before the password is hashed and given back after a success, so only refusals count. The limit per
user name does not hold for an address from which the account has logged in before: nobody else keeps its owner out
there. At such an address, django-axes locks the pair of name and address.
"""

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from registries.audit.action import Action
from registries.audit.log import logged_in_from
from registries.domain.access import Access
from registries.domain.errors import TooManyRequests
from registries.limits import Rates
from registries.log_in.sender import network
from registries.people.grants import access_without_roles
from registries.wiring import services


class Throttle:
    """The checks that one request takes."""

    def __init__(self) -> None:
        self._taken: list[tuple[Rates, str]] = []

    def log_in(self, request: HttpRequest, source: str, username: str, digest: str) -> None:
        """TooManyRequests, which is audited. The digest of the user name is stored, not the name: it may be a password.

        People of the cluster have no name yet. A pair that django-axes has locked takes no check of the name.
        """
        seconds = self._take(services().log_ins.addresses, f"log-in from {network(source)}")
        by_name = settings.AUTH == "local" and not seconds
        if by_name and AxesProxyHandler.is_allowed(request, {"username": username}):
            seconds = self._take(services().log_ins.names, f"log-in of {digest}")
            if seconds and _has_logged_in(username, source):
                seconds = 0
        if seconds:
            services().audit.record(Access("?", source), Action.LOGIN, outcome="locked")
            raise TooManyRequests(retry_after=seconds)

    def old_password(self, owner: str) -> None:
        """Before the old password of this person is checked. TooManyRequests."""
        if seconds := self._take(services().log_ins.names, f"password of {owner}"):
            raise TooManyRequests(retry_after=seconds)

    def give_back(self) -> None:
        """The password was right, or was not checked."""
        for rates, caller in self._taken:
            rates.give_back(caller)

    def _take(self, rates: Rates, caller: str) -> int:
        seconds = rates.wait(caller)
        if not seconds:
            self._taken.append((rates, caller))
        return seconds


def _has_logged_in(username: str, source: str) -> bool:
    user = User.objects.filter(username=username).first()
    return user is not None and logged_in_from(access_without_roles(user, source))
