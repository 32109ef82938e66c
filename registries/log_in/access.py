"""Who is asking: the Access of a request, looked up once."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from registries.domain.access import Access
from registries.log_in.pages import client_address
from registries.people.grants import access_of
from registries.wiring import services

_ATTRIBUTE = "_registries_access"


def access_to(request: HttpRequest) -> Access:
    """What the person behind a request may do; nobody may do nothing. Unavailable when the cluster cannot say."""
    known = getattr(request, _ATTRIBUTE, None)
    if known is None:
        user = request.user
        source = client_address(request)
        if isinstance(user, User):
            known = access_of(user, source)
        elif services().by_cluster:
            known = services().people.access_of(user, source)
        else:
            known = Access(person="", source=source)
        setattr(request, _ATTRIBUTE, known)
    return cast(Access, known)


def acting_access(request: HttpRequest) -> Access:
    """What the page offers that person: no more than to look while the store is away."""
    access = access_to(request)
    return access.looking_only if services().index.freshness().away else access
