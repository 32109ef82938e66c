"""Builds the store, the index, the prober and the service from settings; nothing else here reads them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import transaction

from registries.access import Access
from registries.accounts import Accounts
from registries.audit import AuditLog
from registries.background import Background
from registries.domain import Credential
from registries.grants import access_of_person, forget_namespace
from registries.history import History
from registries.index import Index
from registries.probe import Policy, RealmMemory, Result, probe
from registries.runs import DeleteRuns
from registries.sealing import Sealer
from registries.service import RegistryService
from registries.stores.embedded import EmbeddedStore
from registries.trials import Trials


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
        memory=realms(),
    )


@cache
def realms() -> RealmMemory:
    """What was seen of token services, for all tests of this process."""
    return RealmMemory()


def policy_for(credential: Credential) -> Policy:
    """The operator's rules, and how this one registry's certificate is believed."""
    return replace(policy(), ca_pem=credential.ca_bundle or None, skip_tls_verify=credential.skip_tls_verify)


def patience() -> timedelta:
    """How long a test may be under way before it counts as lost."""
    return timedelta(seconds=settings.PROBE_TIMEOUT + 15)


@cache
def store() -> EmbeddedStore:
    return EmbeddedStore(Sealer(settings.PASSWORD_KEYS))


@cache
def history() -> History:
    return History(patience())


@cache
def audit() -> AuditLog:
    return AuditLog()


@cache
def service() -> RegistryService:
    def prober(credential: Credential) -> Result:
        return probe(credential.address, credential.username, credential.password, policy_for(credential))

    return RegistryService(
        store=store(),
        index=Index(store(), lambda: datetime.now(UTC)),
        prober=prober,
        audit=audit(),
        history=history(),
        atomic=transaction.atomic,
    )


@cache
def tests() -> Background:
    """The threads of tests that somebody is waiting for."""
    return Background(settings.TEST_THREADS, "test")


@cache
def trials() -> Trials:
    return Trials(service(), tests(), patience())


@cache
def delete_runs() -> DeleteRuns:
    background = Background(min(settings.TEST_THREADS, 2), "run")
    return DeleteRuns(service(), background, access_of_person, transaction.atomic)


@cache
def accounts() -> Accounts:
    return Accounts(audit())


def delete_namespace(access: Access, name: str) -> None:
    """A namespace goes with the roles in it: one that is created again starts without any."""
    with transaction.atomic():
        service().delete_namespace(access=access, name=name)
        forget_namespace(name)


def reset() -> None:
    """Forget everything that was built; for tests that change settings or databases."""
    for built in (realms, store, history, audit, service, tests, trials, delete_runs, accounts):
        built.cache_clear()
