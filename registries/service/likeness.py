"""In what two registries differ. Passwords are compared by their digests, and no caller gets one."""

from enum import StrEnum
from hmac import compare_digest

from registries.domain.errors import ConsoleError
from registries.domain.registry import RegistrySecret
from registries.stores.base import Store


class Difference(StrEnum):
    ADDRESS = "address"
    USERNAME = "username"
    TRUST = "trust"
    """Another CA, or only one of them verifies the certificate."""
    PASSWORD = "password"  # noqa: S105  a code
    UNKNOWN = "unknown"
    """The passwords could not be compared now."""


def differences(store: Store, one: RegistrySecret, other: RegistrySecret) -> tuple[Difference, ...]:
    """In what two registries differ; empty when every node and test treats them alike.

    The answer tells whether two passwords are equal. Ask only for a person who may use both, and count it as a guess.
    """
    found = visible_differences(one, other)
    if not {Difference.ADDRESS, Difference.USERNAME} & set(found):
        found += _of_passwords(store, one, other)
    return found


def visible_differences(one: RegistrySecret, other: RegistrySecret) -> tuple[Difference, ...]:
    """The differences that whoever sees both can see. An address that cannot be parsed is like no other."""
    same_address = one.address == other.address and not (one.address_problem or other.address_problem)
    trust = [(it.ca_bundle.strip(), it.skip_tls_verify) for it in (one, other)]
    compared = (
        (Difference.ADDRESS, same_address),
        (Difference.USERNAME, one.username == other.username),
        (Difference.TRUST, trust[0] == trust[1]),
    )
    return tuple(difference for difference, same in compared if not same)


def _of_passwords(store: Store, one: RegistrySecret, other: RegistrySecret) -> tuple[Difference, ...]:
    try:
        first, second = store.fingerprint(one), store.fingerprint(other)
    except ConsoleError:
        return (Difference.UNKNOWN,)
    return () if first and compare_digest(first, second) else (Difference.PASSWORD,)
