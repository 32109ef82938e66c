"""Values of a spec as they are shown: parsed and canonical, or a placeholder."""

import unicodedata

from registries.addresses.address import AddressError, parse_address
from registries.domain.registry import USERNAME_MAX

NOT_VALID = "(not-valid)"
"""Shown instead of an address or user name that is none: `kubectl` accepts any text, also one with a password in it. It
is no address itself, so a test fails on it."""


def shown_domain(text: object) -> str:
    if not str(text):
        return ""
    try:
        return parse_address(str(text)).canonical
    except AddressError:
        return NOT_VALID


def is_plain_http(text: str) -> bool:
    try:
        return parse_address(text).plain_http
    except AddressError:
        return False


def shown_username(value: object) -> str:
    """The user name; a colon, a line break or a URL does not belong into one (RFC 7617)."""
    text = str(value)
    odd = ":" in text or len(text) > USERNAME_MAX or any(unicodedata.category(it)[0] == "C" for it in text)
    return NOT_VALID if odd else text
