"""What is wrong with the time of a certificate: it expired or is not valid yet, since or until when, and whether it is
the server's own or one of a CA."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from .certificate import CertificateFacts, ServerCertificates
from .text import Text

Params = Mapping[str, str | int]
NOT_YET_VALID, EXPIRED = 9, 10
"""The codes X509_V_ERR_* of OpenSSL."""
_TEXTS = {
    "expired": Text("证书已于 {day} 过期", "Certificate expired on {day}"),
    "expired_ca": Text("签发证书的 CA 已于 {day} 过期", "CA of the certificate expired on {day}"),
    "expired_unknown": Text("证书或其 CA 已过期", "Certificate or its CA has expired"),
    "early": Text("证书 {day} 才生效", "Certificate not valid before {day}"),
    "early_ca": Text("签发证书的 CA {day} 才生效", "CA of the certificate not valid before {day}"),
    "early_unknown": Text("证书或其 CA 尚未生效", "Certificate or its CA is not valid yet"),
}
_HINTS = {
    "expired": Text(
        "在服务器上更新证书，并让服务重新加载",
        "Renew the certificate on the server, then reload the server",
    ),
    "early": Text(
        "检查控制台与签发方的时钟；时钟无误时换用已生效的证书",
        "Check the clocks of the console and of the issuer; if they are right, use a certificate that is valid now",
    ),
}


def params_of(shown: ServerCertificates | None, code: object, now: datetime) -> dict[str, str | int]:
    """The params of a result after OpenSSL's error `code`: `validity` and, if the certificate at fault was sent, its
    `day`. Empty for another code."""
    if code not in (EXPIRED, NOT_YET_VALID):
        return {}
    kind = "expired" if code == EXPIRED else "early"
    leaf = _outside([shown.leaf], kind, now) if shown else []
    others = _outside(shown.chain[1:], kind, now) if shown else []
    moments = leaf or others
    if not moments:
        return {"validity": f"{kind}_unknown"}
    moment = min(moments) if kind == "expired" else max(moments)
    return {"validity": kind if leaf else f"{kind}_ca", "day": moment.isoformat()}


def expired_at(ends: datetime | None, at: datetime | None) -> dict[str, str | int]:
    """The same of a stored verdict: `ends` is the end of the certificate, `at` the time of the test."""
    return {"validity": "expired", "day": ends.isoformat()} if ends and at and ends <= at else {}


def message(params: Params, language: str | None) -> str:
    """The sentence with the day in the zone of the process; "" without params of this module."""
    text = _TEXTS.get(str(params.get("validity", "")))
    return text.filled(language, {"day": _day(str(params.get("day", "")))}) if text else ""


def hint(params: Params, language: str | None) -> str:
    text = _HINTS.get(str(params.get("validity", "")).partition("_")[0])
    return text.of(language) if text else ""


def _outside(sent: Sequence[CertificateFacts], kind: str, now: datetime) -> list[datetime]:
    if kind == "expired":
        return [it.not_after for it in sent if it.not_after and it.not_after <= now]
    return [it.not_before for it in sent if it.not_before and it.not_before > now]


def _day(moment: str) -> str:
    """In UTC where the zone of the process has no such moment: 9999-12-31T23:59:59Z has none in Shanghai."""
    if not moment:
        return "…"
    at = datetime.fromisoformat(moment)
    with suppress(OverflowError, ValueError, OSError):
        at = at.astimezone()
    return at.date().isoformat()
