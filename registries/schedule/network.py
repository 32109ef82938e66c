"""The console's own network: when most hosts fail at once, it is to blame, and no registry turns red.

Owns NetworkIncident. Tests are spread over hours, so the first failure of a host brings the tests of some other hosts
forward: their results tell whose network failed.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Min, QuerySet

from registries.models import NetworkIncident, ScheduledCredential
from registries.probe.reason import Reason
from registries.schedule.state import NETWORK, HostResult, State, most_fail, own_network_fails
from registries.schedule.telling import tell_network

ROUND = timedelta(minutes=10)
"""Results of this time are compared."""
SAYING = tuple(it for it in Reason if it is not Reason.RATE_LIMITED)
"""The results that say something of a network."""
BATCH = 500
WITNESSES = 8
"""Other hosts that are tested after the first failure of a host."""


def own_network(host: str, reason: Reason, at: datetime, *, failing: bool, again: bool) -> bool:
    """Whether this result is to be blamed on the console's own network. Opens and closes the incident.

    `failing`: the host was failing before. `again`: this may be its second failure, so the witnesses were tested. An
    incident does not begin with a first failure: too few results would decide.
    """
    is_open = NetworkIncident.objects.filter(open=True).exists()
    if reason not in NETWORK and not is_open:
        return False
    results = list(_round(HostResult(host, reason, failing), at))
    if reason in NETWORK and again and own_network_fails(results):
        failed = sum(it.reason in NETWORK for it in results)
        incident, new = NetworkIncident.objects.get_or_create(
            open=True, defaults={"began_at": at, "hosts": len(results), "failed": failed}
        )
        if new:
            tell_network(incident, at)
        return True
    if is_open and reason not in NETWORK and not most_fail(results):
        _close(at)
        is_open = False
    return is_open and reason in NETWORK


def current() -> NetworkIncident | None:
    return NetworkIncident.objects.filter(open=True).first()


def _close(at: datetime) -> None:
    incident = current()
    if incident and NetworkIncident.objects.filter(pk=incident.pk, open=True).update(open=None, ended_at=at):
        incident.ended_at = at
        tell_network(incident, at)


def call_witnesses(host: str, at: datetime) -> None:
    """Makes one good credential of some other hosts due now, first in namespaces without a result of this round.

    Hosts with a result of this round are not tested again. Those that are due already are witnesses too: in an outage
    every host fails for the first time, and the second test of the first one must not wait for all of them.
    """
    heard = list(_round(HostResult(host, Reason.TIMEOUT, failing=False), at))
    known = {it.host for it in heard}
    good = ScheduledCredential.objects.filter(state=State.OK).exclude(host__in=known)
    good = good.exclude(tested_reason=Reason.RATE_LIMITED)
    coming = _coming(good, at)
    voices, seen = 0, set[str]()
    for names in (*(it.namespaces for it in heard), *coming.values()):
        voices += not names <= seen
        seen |= names
    if voices > WITNESSES:
        return
    later = good.filter(due_at__gt=at).exclude(host__in=coming)
    chosen = dict(_elsewhere(later, seen)[: WITNESSES + 1 - voices])
    for other, pk in later.order_by("tested_at").values_list("host", "pk")[: 8 * WITNESSES]:
        if len(known) + len(coming) + len(chosen) <= WITNESSES:
            chosen.setdefault(other, pk)
    ScheduledCredential.objects.filter(pk__in=chosen.values()).update(due_at=at)


def _coming(good: QuerySet[ScheduledCredential], at: datetime) -> dict[str, frozenset[str]]:
    """The hosts that are tested next, or now, with their namespaces. Witnesses were made due last."""
    due = good.filter(due_at__lte=at).order_by("-due_at")
    return _namespaces(set(due.values_list("host", flat=True)[: 8 * WITNESSES]))


def _elsewhere(good: QuerySet[ScheduledCredential], heard: set[str]) -> list[tuple[str, int]]:
    """One credential in each of some other namespaces, by host: two of one host say the same."""
    others = good.filter(registries__isnull=False).exclude(registries__namespace__in=heard)
    first = others.values("registries__namespace").annotate(first=Min("pk")).order_by("first")[:WITNESSES]
    found = good.filter(pk__in=[it["first"] for it in first]).order_by("-pk").values_list("host", "pk")
    return sorted(dict(found).items(), key=lambda it: it[1])


def _round(mine: HostResult, at: datetime) -> Iterator[HostResult]:
    """The newest result of each host since the first failure of this round. Hosts that failed before are left out."""
    tested = ScheduledCredential.objects.filter(tested_at__gte=at - ROUND, tested_at__lte=at)
    # A code of another version of the console says nothing.
    tested = tested.exclude(settled=State.FAILING).filter(tested_reason__in=SAYING)
    newest: dict[str, tuple[datetime, Reason]] = {}
    for host, reason, tested_at in tested.order_by("tested_at").values_list(
        "host", "tested_reason", "tested_at"
    ):
        if tested_at is not None:
            newest[host] = tested_at, Reason(reason)
    newest[mine.host] = at, mine.reason
    of_hosts = _namespaces(newest.keys())
    begin = min((tested_at for tested_at, reason in newest.values() if reason in NETWORK), default=at)
    if not mine.failing:
        yield replace(mine, namespaces=of_hosts[mine.host])
    for host, (tested_at, reason) in newest.items():
        if host != mine.host and tested_at >= begin:
            yield HostResult(host, reason, failing=False, namespaces=of_hosts[host])


def _namespaces(hosts: Collection[str]) -> dict[str, frozenset[str]]:
    """The namespaces that use each of these hosts."""
    found: dict[str, set[str]] = {host: set() for host in hosts}
    wanted = sorted(hosts)
    for first in range(0, len(wanted), BATCH):
        used = ScheduledCredential.objects.filter(host__in=wanted[first : first + BATCH])
        used = used.filter(registries__isnull=False)
        for host, namespace in used.values_list("host", "registries__namespace").distinct():
            found[host].add(namespace)
    return {host: frozenset(its) for host, its in found.items()}
