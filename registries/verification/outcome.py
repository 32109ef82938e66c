"""The outcome of a test, Result or NotTested, and its JSON in the column `outcome`.

The server's own text (`detail`) is shown to the tester and never stored.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from registries.domain.errors import Problem
from registries.probe.certificate import ServerCertificates
from registries.probe.image import ImageResult
from registries.probe.result import Reason, Result, Step


@dataclass(frozen=True, slots=True)
class NotTested:
    """No verdict. `problem` is the reason, for example `gone` or `key_missing`."""

    problem: Problem


Tested = Result | NotTested


def left_alone(seconds: int) -> Result:
    """The verdict without a test, during the `seconds` of a registry's Retry-After."""
    return Result(Reason.RATE_LIMITED, {"n": seconds}, cause="left_alone")


def kept(result: Result) -> Result:
    """A result without texts and hosts that a server chose. It names the token service only if that has the host of
    the registry, which the operator chose."""
    own = _host(result.registry_host or "")
    params = {name: it for name, it in result.params.items() if name != "host" or _host(str(it)) == own}
    token_host = result.token_host if _host(result.token_host or "") == own else None
    return replace(result, detail="", params=params, token_host=token_host)


def _host(netloc: str) -> str:
    """The host of host[:port]; an IPv6 address has brackets."""
    return netloc.rpartition("]")[0] if netloc.startswith("[") else netloc.partition(":")[0]


def without_pem(tested: Tested) -> Tested:
    """The outcome without the PEM of the certificate: the history keeps only its facts."""
    if isinstance(tested, NotTested) or tested.tls is None:
        return tested
    return replace(tested, tls=replace(tested.tls, ca_pem=None))


_EMPTY: dict[str, Any] = {
    "reason": "",
    "params": {},
    "cause": "",
    "registry_host": "",
    "token_host": "",
    "stages": [],
    "duration_ms": 0,
    "requests": 0,
    "warnings": [],
    "problem": "",
    "detail": "",
    "quoted": False,
    "certificate": None,
    "node": "",
    "certificate_ends": "",
    "image": None,
}
"""All keys of the JSON. `reason` is empty without a verdict, `problem` with one. Times are in milliseconds."""


def to_json(tested: Tested) -> str:
    known = {"problem": tested.problem.value} if isinstance(tested, NotTested) else _values(kept(tested))
    return json.dumps({**_EMPTY, **known}, ensure_ascii=False)


def _values(result: Result) -> dict[str, Any]:
    return {
        "reason": result.reason.value,
        "params": dict(result.params),
        "cause": result.cause or "",
        "registry_host": result.registry_host or "",
        "token_host": result.token_host or "",
        "stages": [{"name": it.name, "ms": round(it.milliseconds, 1), "ok": it.ok} for it in result.steps],
        "duration_ms": round(result.duration_ms),
        "requests": result.requests,
        "warnings": list(result.warnings),
        "quoted": result.quoted,
        "certificate": result.tls.to_json() if result.tls else None,
        "node": result.node or "",
        "certificate_ends": result.certificate_ends.isoformat() if result.certificate_ends else "",
        "image": result.image.values() if result.image else None,
    }


def from_json(text: str) -> Tested:
    """Reads the JSON of this and of earlier versions, which may have a sentence as `problem` and a foreign host."""
    values = {**_EMPTY, **json.loads(text)}
    if values["problem"]:
        return NotTested(_known(values["problem"]))
    certificate = values["certificate"]
    read = Result(
        reason=Reason(values["reason"]),
        params=values["params"],
        cause=values["cause"] or None,
        registry_host=values["registry_host"] or None,
        token_host=values["token_host"] or None,
        steps=tuple(Step(it["name"], it["ms"], it["ok"], "") for it in values["stages"]),
        duration_ms=values["duration_ms"],
        requests=values["requests"],
        warnings=tuple(values["warnings"]),
        quoted=values["quoted"],
        node=values["node"] or None,
        certificate_ends=datetime.fromisoformat(ends) if (ends := values["certificate_ends"]) else None,
        tls=ServerCertificates.from_json(certificate) if certificate else None,
        image=ImageResult.of_values(values["image"]),
    )
    return kept(read)


def _known(code: str) -> Problem:
    try:
        return Problem(code)
    except ValueError:
        return Problem.INTERNAL_ERROR
