"""What is given for a registry: typed values become a Draft, or causes for the invalid fields; CA certificates are
read and checked. Every new registry is checked here.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from registries.addresses import Address, AddressError, parse_address
from registries.domain.errors import Cause, Invalid, Problem
from registries.domain.metadata import (
    holds_password,
    name_problem,
    names_password,
    namespace_problem,
    text_problem,
)
from registries.domain.moments import read_date
from registries.domain.registry import (
    CONTACT_MAX,
    DESCRIPTION_MAX,
    DISPLAY_NAME_MAX,
    INFORMATION,
    PASSWORD_MAX,
    PROBE_IMAGE_MAX,
    USERNAME_MAX,
    Credential,
    Draft,
    Key,
    Provider,
    RegistrySecret,
)
from registries.probe.certificate import CertificateFacts
from registries.probe.credentials import CredentialsError, check_credentials

REQUIRED = ("name", "namespace", "domain", "username", "password", "provider")
TESTED = ("domain", "username", "password")
"""The fields that a connection test requires."""
LONGEST = {
    "display_name": DISPLAY_NAME_MAX,
    "description": DESCRIPTION_MAX,
    "owner": CONTACT_MAX,
    "support_contact": CONTACT_MAX,
    "probe_image": PROBE_IMAGE_MAX,
}
"""Characters of each editable text. The other field of INFORMATION is a date."""


class Tls(StrEnum):
    """The check of a registry's certificate: with the CAs of the system and the operator; with a custom CA as well;
    or no check."""

    SYSTEM = "system"
    CA = "ca"
    SKIP = "skip"


def read_draft(values: Mapping[str, str]) -> Draft:
    """A Draft from the eight fields of the guide, `tls` and `ca_bundle`. Invalid with all causes at once.

    White space around a value is removed, except around the password.
    """
    text = _stripped(values)
    causes = [Cause(name, Problem.REQUIRED) for name in REQUIRED if not text.get(name)]
    causes += _name_causes(text)
    information = {name: text.get(name, "") for name in INFORMATION}
    causes += information_causes(information) + echo_causes(information, text.get("password", ""))
    if text.get("provider") and text["provider"] not in list(Provider):
        causes.append(Cause("provider", Problem.UNKNOWN))
    address, address_causes = _read_tested(text)
    ca_bundle, trust_causes = _read_trust(text, address)
    causes += address_causes + trust_causes
    if causes or address is None:
        raise Invalid(text.get("name", ""), tuple(causes))
    return Draft(
        key=Key(text["namespace"], text["name"]),
        domain=address.canonical,
        username=text["username"],
        provider=Provider(text["provider"]),
        password=text["password"],
        plain_http=address.plain_http,
        ca_bundle=ca_bundle,
        skip_tls_verify=text.get("tls") == Tls.SKIP,
        display_name=information["display_name"],
        description=information["description"],
        owner=information["owner"],
        support_contact=information["support_contact"],
        expires_at=information["expires_at"],
        probe_image=information["probe_image"],
    )


def read_credential(values: Mapping[str, str]) -> Credential:
    """The input of a connection test from typed values. Invalid with all causes at once."""
    text = _stripped(values)
    causes = [Cause(name, Problem.REQUIRED) for name in TESTED if not text.get(name)]
    address, address_causes = _read_tested(text)
    ca_bundle, trust_causes = _read_trust(text, address)
    causes += address_causes + trust_causes
    if causes:
        raise Invalid("", tuple(causes))
    return Credential(
        text["domain"], text["username"], text["password"], ca_bundle, text.get("tls") == Tls.SKIP
    )


def read_correction(registry: RegistrySecret, values: Mapping[str, str]) -> dict[str, Any]:
    """The typed values that differ from the stored ones, as fields of Draft. Invalid with all causes at once.

    The stored password is kept for the same server and user only, and never for a server that is not verified: so it is
    required with another address or user name, and when verification is skipped from now on.
    """
    typed, stand_in = values.get("password", ""), "x"
    names = {"name": registry.name, "namespace": registry.namespace}
    draft = read_draft({**values, **names, "password": typed or stand_in})
    stored = (registry.domain, registry.plain_http, registry.username)
    same = (draft.domain, draft.plain_http, draft.username) == stored
    if not typed and (not same or (draft.skip_tls_verify and not registry.skip_tls_verify)):
        raise Invalid(str(registry.key), (Cause("password", Problem.PASSWORD_AGAIN),))
    fields = ("domain", "plain_http", "username", "provider", "ca_bundle", "skip_tls_verify")
    changes: dict[str, Any] = {
        it: getattr(draft, it) for it in fields if getattr(draft, it) != getattr(registry, it)
    }
    if "domain" in changes or "plain_http" in changes:
        changes |= {"domain": draft.domain, "plain_http": draft.plain_http}
    return {**changes, "password": typed} if typed else changes


def password_causes(username: str, password: str) -> list[Cause]:
    """The causes of a new password for a stored user name, by the rules of the add form."""
    if not password:
        return [Cause("password", Problem.REQUIRED)]
    if len(password) > PASSWORD_MAX:
        return [Cause("password", Problem.TOO_LONG, PASSWORD_MAX)]
    try:
        check_credentials(username, password)
    except CredentialsError as error:
        return [Cause("password", Problem(error.problem))] if error.field == "password" else []
    return []


def _stripped(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value if name == "password" else value.strip() for name, value in values.items()}


def _read_trust(text: Mapping[str, str], address: Address | None) -> tuple[str, list[Cause]]:
    """The CA bundle, if one was chosen, and the causes of `tls` and `ca_bundle`."""
    tls = text.get("tls") or Tls.SYSTEM
    if tls not in list(Tls):
        return "", [Cause("tls", Problem.UNKNOWN)]
    if tls != Tls.SYSTEM and address is not None and address.plain_http:
        return "", [Cause("tls", Problem.TLS_WITHOUT_HTTPS)]
    if tls != Tls.CA:
        return "", []
    if not text.get("ca_bundle"):
        return "", [Cause("ca_bundle", Problem.REQUIRED)]
    try:
        return read_bundle(text["ca_bundle"])[0], []
    except BundleError as error:
        return "", [Cause("ca_bundle", error.problem, BUNDLE_MAX)]


def information_causes(texts: Mapping[str, str]) -> list[Cause]:
    """The causes of the fields that can be edited."""
    causes = []
    for name, text in texts.items():
        if name == "expires_at":
            if text and read_date(text) is None:
                causes.append(Cause(name, Problem.DATE))
        elif problem := text_problem(text, LONGEST[name], lines=name == "description"):
            causes.append(Cause(name, problem, LONGEST[name]))
    return causes


def echo_causes(texts: Mapping[str, str], password: str) -> list[Cause]:
    """Causes for texts that contain the password."""
    return [
        Cause(name, Problem.HOLDS_PASSWORD) for name, text in texts.items() if holds_password(text, password)
    ]


def stored_echo_causes(texts: Mapping[str, str], password: str) -> list[Cause]:
    """Causes for new texts that contain the stored password as a whole word. A date is not compared."""
    return [
        Cause(name, Problem.HOLDS_PASSWORD)
        for name, text in texts.items()
        if name in LONGEST and names_password(text, password)
    ]


def _name_causes(text: Mapping[str, str]) -> list[Cause]:
    causes = []
    for name, problem_of in (("name", name_problem), ("namespace", namespace_problem)):
        problem = problem_of(text[name]) if text.get(name) else None
        if problem:
            causes.append(Cause(name, problem))
    return causes


def _read_tested(text: Mapping[str, str]) -> tuple[Address | None, list[Cause]]:
    causes, address = [], None
    if text.get("domain"):
        try:
            address = parse_address(text["domain"])
        except AddressError as error:
            causes.append(Cause("domain", Problem(error.problem), part=error.part))
    for name, limit in (("username", USERNAME_MAX), ("password", PASSWORD_MAX)):
        if len(text.get(name, "")) > limit:
            causes.append(Cause(name, Problem.TOO_LONG, limit))
    if text.get("username") and text.get("password") and not causes:
        try:
            check_credentials(text["username"], text["password"])
        except CredentialsError as error:
            causes.append(Cause(error.field, Problem(error.problem)))
    return address, causes


def suggested_name(provider: Provider, namespace: str, taken: frozenset[str]) -> str:
    """A free name by the rule of the guide: registry type, environment, and a number when the name is taken."""
    environment = namespace.removesuffix("-namespace") if namespace not in ("", "default") else "prod"
    kind = "registry" if provider is Provider.OTHER else provider.value
    stem = f"{kind}-{environment}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


BUNDLE_MAX = 64 * 1024
"""Characters of a bundle. Kubernetes allows 256 KiB for all annotations of a resource."""
MOST = 20
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class BundleError(ValueError):
    """A bundle that cannot be used. `problem` is `too_long`, `ca_private_key`, `ca_empty`, `ca_too_many` or
    `ca_unreadable`. The error holds nothing of the bundle, which may contain a key."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def read_bundle(text: str) -> tuple[str, tuple[CertificateFacts, ...]]:
    """The certificates of a PEM text as one canonical bundle, each once, and their facts; or BundleError.

    Text around the blocks is dropped. A private key is refused: everybody who sees the registry could read it.
    """
    if len(text) > BUNDLE_MAX:
        raise BundleError(Problem.TOO_LONG)
    if "PRIVATE KEY" in text:
        raise BundleError(Problem.CA_PRIVATE_KEY)
    blocks = list(islice(_blocks(text), MOST + 1))
    if not blocks:
        raise BundleError(Problem.CA_EMPTY)
    if len(blocks) > MOST:
        raise BundleError(Problem.CA_TOO_MANY)
    facts: dict[str, CertificateFacts] = {}
    for block in blocks:
        try:
            certificate = x509.load_pem_x509_certificate(block.encode())
            pem = certificate.public_bytes(Encoding.PEM).decode()
            facts[pem] = CertificateFacts.of(certificate)
        except (ValueError, x509.InvalidVersion) as error:  # UnicodeEncodeError is a ValueError
            raise BundleError(Problem.CA_UNREADABLE) from error
    return "".join(facts), tuple(facts.values())


def _blocks(text: str) -> Iterator[str]:
    """Each text from a first line to the next last line."""
    end = 0
    while (begin := text.find(_BEGIN, end)) >= 0:
        last = text.find(_END, begin + len(_BEGIN) + 1)
        if last < 0:
            return
        end = last + len(_END)
        yield text[begin:end]
