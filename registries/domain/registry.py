"""The registry as frozen values.

Only two values have a password: `Draft`, a registry to create, and `Credential`, the input of a test. No value that
is listed, shown or logged has a field for it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from sys import intern

DISPLAY_NAME_MAX = 128
DESCRIPTION_MAX = 1024
CONTACT_MAX = 128
"""Characters of the owner and of the support contact."""
PROBE_IMAGE_MAX = 512
PASSWORD_MAX = 16 * 1024
USERNAME_MAX = 256

STALE_AFTER = timedelta(days=7)
"""Pages mark an older verdict as out of date."""
EXPIRES_SOON = timedelta(days=30)
INFORMATION = ("display_name", "description", "owner", "support_contact", "expires_at", "probe_image")
"""The fields that may change after a registry was added. Only the probe image has an effect on a test."""


class Provider(StrEnum):
    """The types of registry in api.md, in the order of the guide."""

    HARBOR = "harbor"
    DOCKERHUB = "dockerhub"
    ALIYUN = "aliyun"
    OTHER = "other"


class VerifyStatus(StrEnum):
    UNTESTED = "untested"
    SUCCESS = "success"
    FAILED = "failed"


class Ending(StrEnum):
    """What runs out. The values are codes that messages hold."""

    CREDENTIAL = "credential_expires"
    CERTIFICATE = "certificate_expires"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Namespace and name of a registry. Keys sort by namespace, then name, like every list."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Verification:
    """The last verdict, as stored on the resource. It never holds a server's own words."""

    status: VerifyStatus = VerifyStatus.UNTESTED
    reason: str = ""
    message: str = ""
    at: datetime | None = None
    token_ends: datetime | None = None
    """The end of the tested credential, if it is a token that says so."""

    @property
    def unproven(self) -> bool:
        """Whether the test succeeded without proof of the password: the registry accepts any password."""
        return self.status is VerifyStatus.SUCCESS and self.reason == "ok_unverified"

    def is_stale(self, now: datetime) -> bool:
        return self.at is not None and now - self.at > STALE_AFTER


SEAL_MAX = 64
"""Characters of a seal that are read."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The registry that another one was copied from. `uid` tells it from a later registry of the same name. `seal`
    shows that the console wrote this (service/origins.py), if it is the right one."""

    key: Key
    uid: str
    seal: str = field(default="", compare=False, repr=False)

    @classmethod
    def read(cls, key: str, uid: str, seal: str) -> "Origin | None":
        """From namespace/name, a uid and a seal; None without the first two."""
        namespace, _, name = key.partition("/")
        return cls(Key(intern(namespace), name), intern(uid), seal[:SEAL_MAX]) if name and uid else None


@dataclass(frozen=True, slots=True)
class RegistrySecret:
    """A stored registry, without its password.

    `uid` identifies the object: a registry created later under the same name has another uid. `resource_version`
    changes with every write and is opaque, as in Kubernetes.
    """

    key: Key
    uid: str
    resource_version: str
    created_at: datetime
    domain: str
    username: str
    provider: Provider
    display_name: str = ""
    description: str = ""
    owner: str = ""
    support_contact: str = ""
    expires_at: date | None = None
    """The last day of the credential, typed by a person."""
    certificate_ends: datetime | None = None
    """The earliest end of the certificates that the registry and its token service showed in the last test with TLS."""
    password_changed_at: datetime | None = None
    """The last change of the password through the console; None: the one it was created with."""
    probe_image: str = ""
    """The image that decides in tests where a log-in proves no password."""
    plain_http: bool = False
    ca_bundle: str = field(default="", repr=False)
    skip_tls_verify: bool = False
    verification: Verification = field(default_factory=Verification)
    address_problem: str = ""
    """The code of an AddressError, for an applied address that cannot be parsed; `domain` is a placeholder then."""
    address_problem_at: int = 0
    """The place of the wrong character in it, from 1 on; 0 without one, and where the address may hold a password."""
    deleting: bool = False
    """Whether it is deleted as soon as nothing holds it any more."""
    finalizers: tuple[str, ...] = ()
    """What holds a registry that is being deleted."""
    origin: Origin | None = None
    """The source of a copy."""
    fingerprint: bytes = field(default=b"", repr=False, compare=False)
    """See domain/resource.py. Empty where the store keeps the password apart, and for a resource without one."""
    labels: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """A client's own labels, without any that contain the password."""
    generation: str = field(default="", repr=False, compare=False)
    """Changes with the specification, so with the password. Empty in the embedded store until the first change."""
    document: bytes = field(default=b"", repr=False, compare=False)
    """The resource as JSON without the password. The store makes it once; a list of many only joins them."""

    @property
    def namespace(self) -> str:
        return self.key.namespace

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def title(self) -> str:
        return self.display_name or self.key.name

    @property
    def address(self) -> str:
        """The address that a test connects to. It has a scheme only for plain HTTP."""
        return f"http://{self.domain}" if self.plain_http else self.domain

    @property
    def not_verified(self) -> bool:
        """Whether its tests use HTTPS without a check of the certificate."""
        return self.skip_tls_verify and not self.plain_http

    @property
    def password_set_at(self) -> datetime:
        """When the stored password was set."""
        return self.password_changed_at or self.created_at

    @property
    def information(self) -> dict[str, str]:
        """The fields of INFORMATION as text."""
        return {name: str(getattr(self, name) or "") for name in INFORMATION}

    @property
    def credential_ends(self) -> date | None:
        """The last day of the credential: the one that a person typed, or an earlier one (in UTC) that a token says."""
        ends = self.verification.token_ends
        return min(filter(None, (self.expires_at, ends and ends.date())), default=None)

    @property
    def endings(self) -> tuple[tuple[date, Ending], ...]:
        """The last days of the credential and of the certificate (in UTC), as far as they are known, earliest first."""
        typed = ((self.credential_ends, Ending.CREDENTIAL),) if self.credential_ends else ()
        seen = ((self.certificate_ends.date(), Ending.CERTIFICATE),) if self.certificate_ends else ()
        return (*seen, *typed) if typed and seen and seen < typed else (*typed, *seen)

    def expires_soon(self, today: date) -> bool:
        """Whether the credential or the certificate expires within 30 days, or has expired."""
        return any(day <= today + EXPIRES_SOON for day, _ in self.endings[:1])

    @property
    def binding(self) -> str:
        """The address and the trust settings of its certificate. A stored password is sealed together with them."""
        if self.skip_tls_verify:
            return f"{self.address} skip-tls-verify"
        if self.ca_bundle:
            return f"{self.address} ca-bundle {sha256(self.ca_bundle.encode()).hexdigest()}"
        return self.address


@dataclass(frozen=True, slots=True)
class Removal:
    """A deleted registry. `version` is the resource version of the deletion itself, 0 while it is not known."""

    key: Key
    uid: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A registry to create. `domain` is a canonical host[:port]; `ca_bundle` is checked PEM (intake.py).

    `labels` and `annotations` are the client's own, checked by metadata.py and stored unchanged. A copy has its
    `origin`, and the verdict of the source, since it has the same credential.
    """

    key: Key
    domain: str
    username: str
    provider: Provider
    password: str = field(repr=False)
    display_name: str = ""
    description: str = ""
    owner: str = ""
    support_contact: str = ""
    expires_at: str = ""
    probe_image: str = ""
    plain_http: bool = False
    ca_bundle: str = field(default="", repr=False)
    skip_tls_verify: bool = False
    labels: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    annotations: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    password_set_at: datetime | None = None
    """When the password was set, for a registry that is created again."""
    origin: Origin | None = None
    verification: Verification = field(default_factory=Verification)
    certificate_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """The input of one test, read from the store for this test only. `ca_bundle` is PEM, trusted in addition."""

    address: str
    username: str
    password: str = field(repr=False)
    ca_bundle: str = field(default="", repr=False)
    skip_tls_verify: bool = False
    probe_image: str = ""
    generation: str = field(default="", repr=False, compare=False)
    """That of the registry it was read from."""


def at_version(registry: RegistrySecret, version: str) -> RegistrySecret:
    """The same state under another resource version, in its document as well."""
    resource = json.loads(registry.document)
    resource["metadata"]["resourceVersion"] = version
    document = json.dumps(resource, ensure_ascii=False).encode()
    return replace(registry, resource_version=version, document=document)


def credential_of(registry: RegistrySecret, password: str) -> Credential:
    """The stored values of a registry with its password. A password is never combined with another address or CA."""
    return Credential(
        registry.address,
        registry.username,
        password,
        registry.ca_bundle,
        registry.skip_tls_verify,
        registry.probe_image,
        registry.generation,
    )
