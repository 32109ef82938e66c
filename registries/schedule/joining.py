"""A registry that gets a credential begins in a row of its own, also when others have that credential already.

Until its own first test, everything that a person sees of it is then the same, whether its password is that of another
registry or not: nobody finds out a password without a request to its registry. A test that says whether the password is
right joins the rows that are due then. Several new passwords of a user name in one namespace may be guesses: each is
tested itself.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from registries.domain.registry import Credential, RegistrySecret
from registries.models import ScheduledCredential, ScheduledRegistry
from registries.probe.result import Reason, Result
from registries.probe.schedule import REFUSED
from registries.schedule import days
from registries.schedule.claims import Claim, mine
from registries.schedule.digest import OWN, CredentialDigest, fingerprint, own_digest, shared_digest
from registries.schedule.due import back_off
from registries.schedule.state import was_refused

BATCH = 500


def says_whether_right(reason: Reason) -> bool:
    """Whether the registry has looked at the password."""
    return reason.ok or reason in REFUSED


def alike(row: ScheduledCredential) -> list[ScheduledCredential]:
    """The other rows with this credential: the one that registries share, and those of single ones."""
    digest = shared_digest(row.digest)
    rows = ScheduledCredential.objects.filter(host=row.host, username=row.username).exclude(pk=row.pk)
    rows = rows.filter(Q(digest=digest) | Q(digest__startswith=own_digest(digest, "")))
    return list(rows.select_for_update().order_by("pk"))


def due_as_well(row: ScheduledCredential, at: datetime) -> list[ScheduledCredential]:
    """The other rows with this credential whose own test is due. One test is enough for all of them, but not for one
    of several new passwords."""
    due = [it for it in alike(row) if it.due_at is not None and it.due_at <= at]
    guesses = _of_several([it.pk for it in due if OWN in it.digest])
    return [it for it in due if it.pk not in guesses]


def _of_several(rows: Collection[int]) -> set[int]:
    """Those of these rows, each of one namespace, that have one of several new passwords."""
    members = ScheduledRegistry.objects.filter(credential__in=rows)
    columns = ("credential", "namespace", "credential__host", "credential__username")
    places = (
        {row: (namespace, *user) for row, namespace, *user in members.values_list(*columns)} if rows else {}
    )
    guesses = several_new({namespace for namespace, *_ in places.values()})
    return {row for row, place in places.items() if place in guesses}


def several_new(namespaces: Collection[str]) -> set[tuple[str, str, str]]:
    """Namespace, host and user name of the new passwords in these namespaces, where there are several of one user name.
    A test of others tells nothing about them."""
    found, ordered = dict[tuple[str, str, str], set[str]](), sorted(namespaces)
    for first in range(0, len(ordered), BATCH):
        own = ScheduledRegistry.objects.filter(namespace__in=ordered[first : first + BATCH])
        own = own.filter(credential__digest__contains=OWN)
        columns = ("namespace", "credential__host", "credential__username", "credential__digest")
        for *place, digest in own.values_list(*columns).distinct():
            found.setdefault((place[0], place[1], place[2]), set()).add(shared_digest(digest))
    return {place for place, digests in found.items() if len(digests) > 1}


def shared_row(row: ScheduledCredential) -> ScheduledCredential:
    """Returns the row that registries with this credential share: this row, if there was none."""
    digest = shared_digest(row.digest)
    if row.digest == digest:
        return row
    shared = ScheduledCredential.objects.select_for_update().filter(digest=digest).first()
    if shared is None:
        ScheduledCredential.objects.filter(pk=row.pk).update(digest=digest)
        row.digest = digest
    return shared or row


def waits_until(claim: Claim, at: datetime) -> datetime | None:
    """When a row of its own may be tested, if its credential was refused in another row and waits for its next test.
    One of several new passwords does not wait."""
    if claim.digest == shared_digest(claim.digest):
        return None
    with transaction.atomic():
        row = mine(claim).first()
        rows = alike(row) if row and not _of_several([row.pk]) else []
    interval = timedelta(seconds=row.interval or 0) if row else timedelta()
    waits = [
        it.due_at or it.tested_at + back_off(interval, it.failures)
        for it in rows
        if it.tested_at and was_refused(it.recent, it.tested_reason)
    ]
    return max((it for it in waits if it > at), default=None)


def all_members(claim: Claim) -> list[ScheduledRegistry]:
    """The registries with this credential, those that have rows of their own among them."""
    with transaction.atomic():
        row = mine(claim).first()
        rows = [row, *alike(row)] if row else []
    return list(ScheduledRegistry.objects.filter(credential__in=rows))


class SharedCredentials:
    """Which registries have the same credential, for runs that test each credential once, as the rows of the schedule
    say. `digest` is that of the schedule."""

    def __init__(self, digest: CredentialDigest) -> None:
        self._digest = digest

    def digests(self, registries: Sequence[RegistrySecret]) -> Mapping[str, str]:
        """The digest of each registry by uid, without those that were changed lately. One of several new passwords has
        that of its row, which no other one has. Two queries for 500. Never show a digest."""
        prints, found = {it.uid: fingerprint(it) for it in registries}, dict[str, str]()
        guesses, uids = several_new({it.namespace for it in registries}), list(prints)
        columns = ("namespace", "credential__host", "credential__username", "credential__digest")
        for first in range(0, len(uids), BATCH):
            some = ScheduledRegistry.objects.filter(uid__in=uids[first : first + BATCH])
            for uid, known_as, *place, digest in some.values_list("uid", "fingerprint", *columns):
                if known_as == prints[uid]:
                    found[uid] = digest if tuple(place) in guesses else shared_digest(digest)
        return found

    def digest(self, credential: Credential) -> str:
        return self._digest(credential)

    def same(self, one: str, other: str) -> bool:
        return shared_digest(one) == shared_digest(other)

    def shared(self, uids: Sequence[str], result: Result, at: datetime) -> None:
        """Takes note that the verdict of another registry's test, which `observe` has seen, is on these resources."""
        with transaction.atomic():
            for first in range(0, len(uids), BATCH):
                rows = ScheduledRegistry.objects.filter(uid__in=uids[first : first + BATCH])
                rows.update(written_at=at, written_reason=result.reason.value)
            if result.reason is not Reason.RATE_LIMITED:
                days.count(uids, at, result)
