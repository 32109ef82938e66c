"""The connection test as this process makes it: by the operator's settings, and one at a time per registry."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from math import ceil

from django.conf import settings

from registries.domain.errors import REGISTRY_BUSY, Unavailable
from registries.domain.registry import Credential
from registries.metrics import Metrics
from registries.probe import Lanes, Policy, RealmMemory, Result, probe, registry_of
from registries.probe.contexts import TlsContexts

TURNS = 2
"""A test waits for so many others of the same registry, at their longest."""


def policy() -> Policy:
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
        memory=realms(),
        contexts=certificates(),
    )


@cache
def realms() -> RealmMemory:
    """What was seen of token services, for all tests of this process."""
    return RealmMemory()


@cache
def certificates() -> TlsContexts:
    """The trusted certificates, read once for all tests of this process."""
    return TlsContexts()


def policy_for(credential: Credential) -> Policy:
    """The operator's rules, and how this one registry's certificate is believed."""
    return replace(policy(), ca_pem=credential.ca_bundle or None, skip_tls_verify=credential.skip_tls_verify)


def patience() -> timedelta:
    """How long a test may be under way, waiting for its turn included, before it counts as lost."""
    return timedelta(seconds=(1 + TURNS) * settings.PROBE_TIMEOUT + 15)


def turn() -> int:
    """Seconds after which the test that is before another one at its registry is over."""
    seconds: float = settings.PROBE_TIMEOUT
    return ceil(seconds)


@cache
def metrics() -> Metrics:
    """What this process has done; once per process, like the threads that do it."""
    return Metrics()


@cache
def lanes() -> Lanes:
    """One test at a time per registry, whoever asks for it."""
    return Lanes()


def one_at_a_time(credential: Credential) -> Result:
    """Probe when it is this test's turn at its registry; Unavailable `registry_busy` when that takes too long."""
    registry = registry_of(credential.address)
    if not lanes().enter(registry, TURNS * settings.PROBE_TIMEOUT):
        raise Unavailable(registry, REGISTRY_BUSY)
    try:
        result = probe(credential.address, credential.username, credential.password, policy_for(credential))
        return metrics().tested(result)
    finally:
        lanes().leave(registry)
