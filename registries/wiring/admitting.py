"""The parts that admit people and programs: accounts, tokens, people of the cluster."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from registries.people.accounts import Accounts
from registries.people.base import People
from registries.people.grants import LocalPeople
from registries.people.tokens import Refusals, Tokens
from registries.wiring.base import part
from registries.wiring.limiting import Limiting

if TYPE_CHECKING:
    from registries.people.cluster_bearers import ClusterTokens
    from registries.people.cluster_sessions import ClusterSessions


class Admitting(Limiting):
    """People, and programs with a token."""

    @part
    def accounts(self) -> Accounts:
        return Accounts(self.audit)

    @part
    def tokens(self) -> Tokens:
        return Tokens(self.audit)

    @property
    def people(self) -> People:
        """Accounts of the console, or people of the cluster."""
        return self.cluster_sessions if self.by_cluster else LocalPeople()

    @part
    def cluster_sessions(self) -> "ClusterSessions":
        from registries.people.cluster_sessions import ClusterSessions

        return ClusterSessions(
            api_server=self.api_server,
            sealer=self.sealer,
            namespaces=lambda: self.index.fresh().namespaces,
            audit=self.audit,
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
            fresh_for=settings.ACCESS_SECONDS,
        )
