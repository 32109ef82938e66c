"""The connection test with the operator's settings."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from math import ceil

from django.conf import settings

from registries.domain.errors import Problem, Unavailable
from registries.domain.registry import Credential
from registries.metrics import Metrics
from registries.probe import Policy, RealmMemory, Reason, Result, probe
from registries.probe.image import ImageQuery
from registries.probe.policy import TlsContexts

TURNS = 2
"""A test waits at most for the timeouts of this many other tests of the same registry."""
BEYOND = 10.0
"""Seconds that a test may take beyond its time limit on a busy machine. After more, this process was stopped meanwhile:
its failure to connect says nothing about the registry."""
NOT_HEARD = frozenset({Reason.TIMEOUT, Reason.CONNECTION_RESET, Reason.TOKEN_SERVICE_UNREACHABLE})


class ConnectionTest:
    """Tests stored and typed credentials. `policy` returns the operator's current settings.

    The caller does not test one registry twice at the same time: see the lanes of `runs/threads.py`.
    """

    def __init__(self, policy: Callable[[], Policy], metrics: Metrics) -> None:
        self._policy = policy
        self._metrics = metrics
        self._realms = RealmMemory()
        self._contexts = TlsContexts()

    def __call__(self, credential: Credential, *images: ImageQuery) -> Result:
        """Unavailable `interrupted` when this process was stopped during the test."""
        policy, begun = self.policy_for(credential), time.monotonic()
        result = probe(credential.address, credential.username, credential.password, policy, *images)
        if result.reason in NOT_HEARD and time.monotonic() - begun > policy.total_timeout + BEYOND:
            raise Unavailable(credential.address, Problem.INTERRUPTED)
        return self._metrics.tested(result)

    def policy_for(self, credential: Credential) -> Policy:
        """The operator's settings with the registry's CA and its `skip_tls_verify`."""
        return replace(
            self._policy(),
            memory=self._realms,
            contexts=self._contexts,
            ca_pem=credential.ca_bundle or None,
            skip_tls_verify=credential.skip_tls_verify,
        )

    @property
    def wait(self) -> float:
        """The longest wait before a test, in seconds."""
        return TURNS * self._policy().total_timeout

    @property
    def patience(self) -> timedelta:
        """The longest duration of a test with its wait. A longer test counts as lost."""
        return timedelta(seconds=self.wait + self._policy().total_timeout + 15)

    @property
    def turn(self) -> int:
        """The longest duration of one test, in seconds."""
        return ceil(self._policy().total_timeout)


def probe_policy() -> Policy:
    """The operator's rules for every connection test."""
    return Policy(
        ca_file=settings.PROBE_CA_FILE,
        certs_dir=settings.PROBE_CERTS_DIR,
        allow_loopback=settings.PROBE_ALLOW_LOOPBACK,
        allow_private=settings.PROBE_ALLOW_PRIVATE,
        allow_plain_http=settings.PROBE_ALLOW_PLAIN_HTTP,
        connect_timeout=settings.PROBE_CONNECT_TIMEOUT,
        read_timeout=settings.PROBE_READ_TIMEOUT,
        total_timeout=settings.PROBE_TIMEOUT,
        proxy=settings.PROBE_PROXY,
        no_proxy=tuple(settings.PROBE_NO_PROXY),
        proxy_resolves=settings.PROBE_PROXY_RESOLVES,
        realm_hosts=tuple(settings.PROBE_REALM_HOSTS),
    )
