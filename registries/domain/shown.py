"""Values of a resource as they are shown: parsed and canonical, or a placeholder."""

import base64
import binascii
import html
import json
import re
import unicodedata
from urllib.parse import quote, quote_plus

from registries.addresses import AddressError, parse_address
from registries.domain.metadata import TELLING, name_problem, namespace_problem, text_problem
from registries.domain.moments import moment_text, read_date, read_moment
from registries.domain.registry import (
    CONTACT_MAX,
    DESCRIPTION_MAX,
    DISPLAY_NAME_MAX,
    PROBE_IMAGE_MAX,
    USERNAME_MAX,
    Provider,
)

NOT_VALID = "(not-valid)"
"""Shown instead of a value that is none: `kubectl` accepts any text, also one with a password in it. It is no address
itself, so a test fails on it."""
_MESSAGE_MAX = 512
_OTHER_MAX = 256
_IMAGE = re.compile(r"(?!.*//)[A-Za-z0-9\[][A-Za-z0-9._:/\[\]-]*(?:@sha(?:256|384|512):[a-f0-9]{64,128})?")
_REASON = re.compile(r"[a-z_]{1,40}")
_TOKENS = (
    r"\beyJ[\w-]{8,}|\bgh[pousr]_\w{16,}|\bgithub_pat_\w+|\bgl[a-z]{2,5}-[\w-]{16,}|\bdckr_[a-z]{3}_[\w-]{8,}"
)
_IS_TOKEN = re.compile(_TOKENS)
_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CREDENTIAL = re.compile(
    rf"{_TOKENS}|[^\s:@/]+:[^\s@]+@|"
    r"\b(?:basic|bearer|password|passwd|pwd|secret|token|api[-_]?key)\b[\"']?(?:\s*[:=]|\s)\s*[!-~]{4,}",
    re.IGNORECASE,
)
_IN_WORDS = re.compile(
    rf"{_TOKENS}|(?<=//)[^\s/]{{1,512}}@|\?[^\s\"']{{1,2048}}|"
    r"\bbasic\s{1,4}(?=[!-~]{0,512}[0-9+/=])[\w+/=-]{8,512}|"
    r"\b[\w-]{0,32}(?:token|secret|auth)[\"']?\s{0,4}(?:=\s{0,4}|:\s{0,4}[\"'])[!-~]{4,512}|"
    r"\b(?:bearer|password|passwd|pwd|api[-_]?key)\b[\"']?\s{0,4}[:= ]\s{0,4}[!-~]{4,512}",
    re.IGNORECASE,
)
"""What may be secret in the words of a container runtime: userinfo and query of a URL, tokens, passwords."""
_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]{64,65536}?)-----END CERTIFICATE-----"
)


def shown_domain(value: object) -> str:
    if not str(value):
        return ""
    try:
        canonical = parse_address(str(value)).canonical
    except AddressError:
        return NOT_VALID
    return NOT_VALID if _IS_TOKEN.search(str(value)) else canonical  # searched after its length was asked


def shown_username(value: object) -> str:
    """The user name. A colon, a control character, a URL or a token does not belong into one (RFC 7617)."""
    text = str(value)
    if len(text) > USERNAME_MAX or ":" in text:  # before each character is looked at
        return NOT_VALID
    odd = any(unicodedata.category(it)[0] == "C" or unicodedata.category(it) in ("Zl", "Zp") for it in text)
    return NOT_VALID if odd or _CREDENTIAL.search(text) else text


def shown_provider(value: object) -> str:
    try:
        return Provider(str(value)).value
    except ValueError:
        return Provider.OTHER.value


def shown_display_name(value: object) -> str:
    return _text(str(value)[:DISPLAY_NAME_MAX])


def shown_description(value: object) -> str:
    return _text(str(value)[:DESCRIPTION_MAX], lines=True)


def shown_contact(value: object) -> str:
    """An owner or a support contact."""
    return _sentence(str(value), CONTACT_MAX)


def shown_date(value: object) -> str:
    """A day; "" for any other text."""
    day = read_date(str(value))
    return day.isoformat() if day else ""


def shown_image(value: object) -> str:
    """The name of an image; "" for a text with other characters."""
    text = str(value)
    valid = len(text) <= PROBE_IMAGE_MAX and _IMAGE.fullmatch(text) and not _IS_TOKEN.search(text)
    return text if valid else ""


def shown_moment(value: object) -> str | None:
    """A moment in UTC; None for any other text."""
    at = read_moment(str(value))
    return moment_text(at) if at else None


def shown_origin(value: object) -> str | None:
    """The namespace and name of a source; None for any other text."""
    namespace, _, name = str(value).partition("/")
    valid = namespace_problem(namespace) is None and name_problem(name) is None
    return f"{namespace}/{name}" if valid else None


def shown_uid(value: object) -> str | None:
    """A uid; None for any other text."""
    return str(value) if _UID.fullmatch(str(value)) else None


def shown_bundle(value: object) -> str:
    """The certificates of a PEM bundle, without the text around them."""
    text = str(value)
    blocks = [match for match in _CERTIFICATE.finditer(text) if _is_der(match[1])]
    if "".join(match[0] for match in blocks) == text.replace("\n-----BEGIN", "-----BEGIN").removesuffix("\n"):
        return text
    return "".join(f"{match[0]}\n" for match in blocks) or NOT_VALID


def shown_reason(value: object) -> str:
    """A reason code, also one of a newer version; "" for any other text."""
    return str(value) if _REASON.fullmatch(str(value)) else ""


def shown_message(value: object) -> str:
    """The message of a verdict. Other clients may write their own, but no credential."""
    return _sentence(str(value), _MESSAGE_MAX)


def shown_words(text: str, longest: int) -> str:
    """The words of another program on one line, cut, without control characters and without what may be secret."""
    plain = "".join(it if unicodedata.category(it)[0] not in "CZ" else " " for it in text[: 4 * longest])
    return " ".join(_IN_WORDS.sub("…", plain).split())[:longest]


def shown_annotation(value: object) -> str:
    """An annotation of the platform that the console does not know."""
    return _sentence(str(value), _OTHER_MAX)


def _sentence(text: str, longest: int) -> str:
    return NOT_VALID if _CREDENTIAL.search(text[:longest]) or text_problem(text, longest) else text


def _text(text: str, *, lines: bool = False) -> str:
    return NOT_VALID if text_problem(text, len(text), lines=lines) else text


def _is_der(body: str) -> bool:
    """Whether base64 is one DER sequence with its length in two bytes, as every certificate is (X.690, 8.1)."""
    try:
        der = base64.b64decode(body)
    except (binascii.Error, ValueError):
        return False
    return der[:2] == b"\x30\x82" and int.from_bytes(der[2:4]) + 4 == len(der)


class Echoes:
    """Finds a stored password in other texts of its resource: as it is, in the usual escapes, in hex, and in base64 at
    any position of a longer text. One shorter than TELLING is not searched for."""

    def __init__(self, *passwords: str) -> None:
        self._forms = {
            form.casefold() for it in passwords if len(it.strip()) >= TELLING for form in _forms(it.strip())
        }

    def within(self, *texts: object) -> bool:
        folded = [str(text).casefold() for text in texts]
        return any(form in text for text in folded for form in self._forms)

    def without(self, texts: dict[str, str]) -> dict[str, str]:
        """The texts without those that contain the password in key or value."""
        return {key: value for key, value in texts.items() if not self.within(key, value)}


def _forms(password: str) -> set[str]:
    raw = password.encode(errors="surrogatepass")
    forms = {password, raw.hex(), quote(raw, safe=""), quote(raw), quote_plus(raw), html.escape(password)}
    forms |= {json.dumps(password)[1:-1], json.dumps(password, ensure_ascii=False)[1:-1]}
    for shift in range(3):  # the first and last characters depend on what stands beside the password
        encoded = base64.b64encode(b"x" * shift + raw).rstrip(b"=")[-(-shift * 4 // 3) : -1].decode()
        forms |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return forms
