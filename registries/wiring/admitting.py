"""The parts that admit people and programs: accounts, tokens, people of the cluster; and how much one person may ask,
as rates over all processes and seats in this one.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from registries.limits import LogInRates, Rates, Seats, StoredBuckets
from registries.people.accounts import Accounts
from registries.people.grants import LocalPeople, People
from registries.people.tokens import Refusals, Tokens
from registries.wiring.base import Foundation, part

if TYPE_CHECKING:
    from registries.people.cluster_bearers import ClusterTokens
    from registries.people.cluster_sessions import ClusterSessions
    from registries.people.fair_threads import Askers

EXPORTS_AT_ONCE, EXPORTS_PER_MINUTE = 3, 6
"""Files of many entries: at once in one process, and of one person. One takes some seconds of the processor."""
TOKENS_PER_MINUTE = 20
"""New access tokens of one person. Each is a row, and two in the audit log when it is revoked, also of somebody without
a role."""

SCRAPES_PER_MINUTE = 240
"""Of one person: two Prometheus servers may ask ten replicas every five seconds. One of thousands of registries takes
some milliseconds of the processor."""


class Admitting(Foundation):
    """People, and programs with a token, and the limits of their requests."""

    @part
    def api_rates(self) -> Rates:
        return Rates(settings.API_RATE, StoredBuckets())

    @part
    def scrape_rates(self) -> Rates:
        return Rates(SCRAPES_PER_MINUTE, StoredBuckets())

    @part
    def form_rates(self) -> Rates:
        """Forms that one person sends. A page does what the API does, and leaves as many rows."""
        return Rates(settings.API_RATE, StoredBuckets())

    @part
    def log_ins(self) -> LogInRates:
        return LogInRates.of(settings.AXES_FAILURE_LIMIT, StoredBuckets())

    @part
    def api_tests(self) -> Seats:
        """Tests that API clients wait for at once; one person gets half of the seats."""
        return Seats(settings.API_TESTS, each=settings.API_TESTS // 2)

    @part
    def api_watches(self) -> Seats:
        """Watches at once; one person gets half of the seats."""
        return Seats(settings.API_WATCHES, each=-(-settings.API_WATCHES // 2))

    @part
    def export_seats(self) -> Seats:
        """Files of many entries that are made at once; one for each person."""
        return Seats(EXPORTS_AT_ONCE, each=1)

    @part
    def export_rates(self) -> Rates:
        return Rates(EXPORTS_PER_MINUTE, StoredBuckets())

    @part
    def accounts(self) -> Accounts:
        return Accounts(self.audit)

    @part
    def tokens(self) -> Tokens:
        return Tokens(self.audit)

    @part
    def token_rates(self) -> Rates:
        return Rates(TOKENS_PER_MINUTE, StoredBuckets())

    @property
    def people(self) -> People:
        """Accounts of the console, or people of the cluster."""
        return self.cluster_sessions if self.by_cluster else LocalPeople()

    @part
    def askers(self) -> "Askers":
        """Requests that wait for the access of a person of the cluster."""
        from registries.people.fair_threads import Askers

        return Askers()

    @part
    def cluster_sessions(self) -> "ClusterSessions":
        from registries.people.cluster_sessions import ClusterSessions

        return ClusterSessions(
            api_server=self.api_server,
            sealer=self.sealer,
            namespaces=lambda: self.index.fresh().namespaces,
            audit=self.audit,
            askers=self.askers,
            fresh_for=settings.ACCESS_SECONDS,
            lasts=timedelta(seconds=settings.SESSION_COOKIE_AGE),
        )

    @part
    def cluster_tokens(self) -> "ClusterTokens":
        from registries.people.cluster_bearers import ClusterTokens

        return ClusterTokens(
            api_server=self.api_server,
            namespaces=lambda: self.index.fresh().namespaces,
            refusals=Refusals(self.audit),
            questions=self.api_rates,
            askers=self.askers,
            fresh_for=settings.ACCESS_SECONDS,
        )
