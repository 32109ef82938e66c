"""The state of a credential over its tests. Pure: no clock, no storage.

    new -> ok | failing           the first result; a passing failure is tested again first
    ok -> suspect -> failing      two failures in a row
    ok -> failing                 at once, for a failure that cannot pass by itself
    failing -> recovering -> ok   two successes in a row
    any -> flapping               too many changes between success and failure in the last tests

`new`, `suspect` and `recovering` wait for another test. `ok`, `failing` and `flapping` are confirmed: only they are
written to the resource, to the history, and told to people.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from registries.domain.registry import Verification, VerifyStatus
from registries.probe.reason import Reason
from registries.probe.schedule import REFUSED


class State(StrEnum):
    """The values are stored."""

    NEW = "new"
    OK = "ok"
    SUSPECT = "suspect"
    FAILING = "failing"
    RECOVERING = "recovering"
    FLAPPING = "flapping"

    @property
    def confirmed(self) -> bool:
        return self in (State.OK, State.FAILING, State.FLAPPING)


FINAL = frozenset(
    {
        Reason.TLS_EXPIRED,
        Reason.CREDENTIALS_EXPIRED,
        Reason.PAT_REQUIRED,
        Reason.INVALID_DOMAIN,
        Reason.INVALID_CREDENTIALS_FORMAT,
        Reason.PLAIN_HTTP_FORBIDDEN,
    }
)
"""Failures that cannot pass by themselves."""
NETWORK = frozenset(
    {
        Reason.DNS_FAILED,
        Reason.CONNECTION_REFUSED,
        Reason.NETWORK_UNREACHABLE,
        Reason.TIMEOUT,
        Reason.CONNECTION_RESET,
        Reason.PROXY_ERROR,
    }
)
"""Failures that the console's own network can cause."""

REFUSED_LAST = r"x-*$"
"""Finds in `recent` that no success came after the last refusal. Other failures say nothing of it."""
KEPT = 21
"""Results that flapping is computed from, as in Nagios."""
FLAPPING_ABOVE, FLAPPING_BELOW = 30.0, 25.0
"""Percent of change at which flapping begins and ends (naemon's default)."""
FEWEST_HOSTS = 5
"""With fewer hosts, a failure of the network is not judged."""


@dataclass(frozen=True, slots=True)
class Status:
    """`settled` is the last confirmed state, `since` its beginning. `failures` counts failed tests in a row,
    refusals for themselves.

    `recent` has a sign for each of the last results, newest last: `+` for a success, `x` for a refusal, `-` for another
    failure. `reason` is the code of the last test.
    """

    state: State = State.NEW
    settled: State = State.NEW
    since: datetime | None = None
    failures: int = 0
    recent: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HostResult:
    """The newest result of a host, and whether it was failing before."""

    host: str
    reason: Reason
    failing: bool
    namespaces: frozenset[str] = frozenset()
    """Those that use the host."""


def step(before: Status, reason: Reason, at: datetime, *, own_network: bool = False) -> Status:
    """The status after a test. `own_network`: failures of the network are the console's own now.

    A registry that asks for a pause says nothing about the credential, and neither does the console's own network.
    """
    if reason is Reason.RATE_LIMITED:
        return replace(before, reason=reason.value)
    if own_network and reason in NETWORK:
        calm = before.settled if before.state is State.SUSPECT else before.state
        return replace(before, state=calm, failures=0, reason=reason.value)
    recent = (before.recent + sign(reason))[-KEPT:]
    state = _next(before, reason, percent_of_change(recent))
    settled = state if state.confirmed else before.settled
    return Status(
        state=state,
        settled=settled,
        since=before.since if settled is before.settled and before.since else at,
        failures=0 if reason.ok else 1 + before.failures * (_refused(before) == (reason in REFUSED)),
        recent=recent,
        reason=reason.value,
    )


def sign(reason: Reason) -> str:
    """The sign of a result in `recent`."""
    return "+" if reason.ok else "x" if reason in REFUSED else "-"


def seeded(verdict: Verification) -> Status:
    """The status that the verdict on a resource tells."""
    try:
        reason = Reason(verdict.reason)
    except ValueError:
        return Status()
    if verdict.status is VerifyStatus.UNTESTED or verdict.at is None or reason is Reason.RATE_LIMITED:
        return Status()
    state = State.OK if reason.ok else State.FAILING
    failures = 0 if reason.ok else 1
    return Status(state, state, verdict.at, failures, sign(reason), reason.value)


def was_refused(recent: str, reason: str) -> bool:
    """Whether no success came after the last refusal. `reason` is that of the last test: older versions wrote `-` for a
    refusal."""
    return reason in REFUSED or re.search(REFUSED_LAST, recent) is not None


def percent_of_change(recent: str) -> float:
    """How often the results changed, in percent. A newer change weighs more: 0.8 for the oldest, 1.2 for the newest.
    Missing results count as no change."""
    changes, recent = KEPT - 1, recent.replace("x", "-")
    padded = recent.rjust(KEPT, recent[:1] or "+")
    weights = (
        0.8 + 0.4 * place / (changes - 1) for place in range(changes) if padded[place] != padded[place + 1]
    )
    return 100 * sum(weights) / changes


def own_network_fails(results: Sequence[HostResult]) -> bool:
    """Whether most of at least five hosts turned to a failure of the network in one round.

    Hosts that failed before are left out: they say nothing.
    """
    said = [it for it in results if not it.failing]
    return len({it.host for it in said}) >= FEWEST_HOSTS and most_fail(said)


def most_fail(results: Sequence[HostResult]) -> bool:
    """Whether most hosts fail, and most namespaces. Each namespace has one vote, shared by its hosts:
    nobody speaks for all with many hosts in one namespace."""
    failed = {it.host: it.reason in NETWORK for it in results}
    votes: dict[str, dict[str, bool]] = {}
    for it in results:
        for namespace in it.namespaces:
            votes.setdefault(namespace, {})[it.host] = failed[it.host]
    shares = [sum(its.values()) / len(its) for its in votes.values()]
    return 2 * sum(failed.values()) > len(failed) and (not shares or 2 * sum(shares) > len(shares))


def _next(before: Status, reason: Reason, change: float) -> State:
    flapping = before.state is State.FLAPPING
    if change >= (FLAPPING_BELOW if flapping else FLAPPING_ABOVE):
        return State.FLAPPING
    if flapping:
        return State.OK if reason.ok else State.FAILING
    if reason.ok:
        return State.RECOVERING if before.state is State.FAILING else State.OK
    return State.FAILING if _is_confirmed(before, reason) else State.SUSPECT


def _refused(before: Status) -> bool:
    """Whether the last test that says something was a refusal. A pause after it says nothing."""
    paused = before.reason == Reason.RATE_LIMITED
    return before.recent.endswith("x") if paused else before.reason in REFUSED


def _is_confirmed(before: Status, reason: Reason) -> bool:
    """Whether a failure needs no other test. A refusal of a credential that was good needs one: some registries
    refuse the right password for a moment after somebody else's wrong one."""
    if before.state in (State.FAILING, State.RECOVERING) or reason in FINAL:
        return True
    if reason in REFUSED:
        return before.settled is not State.OK or (before.state is State.SUSPECT and _refused(before))
    return before.state is State.SUSPECT
