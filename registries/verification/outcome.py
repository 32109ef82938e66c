"""What came of one test, as it is shown afterwards: the probe's result without any server's words or secrets.

Imports only the probe's result.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from registries.probe.certificate import ServerCertificates
from registries.probe.result import Reason, Result


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a test: resolve, connect, tls, ping, token or confirm; `ms` is milliseconds."""

    name: str
    ms: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` is a code, or "" when there was no test; then `problem` says why (gone, key_missing, …).

    `detail` is what the server said (`quoted`), or what the test found out, cleaned. It is shown to who tested, and
    never written down.
    """

    reason: str
    params: dict[str, Any] = field(default_factory=dict)
    cause: str = ""
    registry_host: str = ""
    token_host: str = ""
    stages: tuple[Stage, ...] = ()
    duration_ms: int = 0
    requests: int = 0
    warnings: tuple[str, ...] = ()
    problem: str = ""
    detail: str = ""
    quoted: bool = False
    certificate: ServerCertificates | None = None
    """What a server showed that was not believed."""

    @classmethod
    def of(cls, result: Result) -> "Outcome":
        return cls(
            reason=result.reason.value,
            params=dict(result.params),
            cause=result.cause or "",
            registry_host=result.registry_host or "",
            token_host=result.token_host or "",
            stages=tuple(Stage(step.name, round(step.milliseconds, 1), step.ok) for step in result.steps),
            duration_ms=round(result.duration_ms),
            requests=result.requests,
            warnings=tuple(result.warnings),
            detail=result.detail,
            quoted=result.quoted,
            certificate=result.tls,
        )

    @classmethod
    def abandoned(cls, problem: str) -> "Outcome":
        return cls(reason="", problem=problem)

    @classmethod
    def left_alone(cls, seconds: int) -> "Outcome":
        """Of a test that is not made, since the registry asked to be left alone for so long."""
        return cls(reason=Reason.RATE_LIMITED.value, params={"n": seconds}, cause="left_alone")

    @property
    def ok(self) -> bool:
        return self.reason in (Reason.OK, Reason.OK_UNVERIFIED)

    @property
    def proven(self) -> bool:
        return self.reason == Reason.OK

    def message(self, language: str) -> str:
        """The catalogue's sentence with this test's values; `language` is zh or en."""
        return self._result().message(language)

    def hint(self, language: str) -> str:
        """What to do next."""
        return self._result().hint(language)

    def without_pem(self) -> "Outcome":
        """The same without the certificate itself: what is kept for good has the facts of it only."""
        return replace(self, certificate=self.certificate and replace(self.certificate, ca_pem=None))

    def to_json(self) -> str:
        values = asdict(replace(self, detail="", certificate=None))
        values["certificate"] = self.certificate.to_json() if self.certificate else None
        return json.dumps(values, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Outcome":
        values = json.loads(text)
        values["stages"] = tuple(Stage(**stage) for stage in values["stages"])
        values["warnings"] = tuple(values["warnings"])
        shown = values.get("certificate")
        values["certificate"] = ServerCertificates.from_json(shown) if shown else None
        return cls(**values)

    def _result(self) -> Result:
        return Result(
            reason=Reason(self.reason), params=self.params, cause=self.cause or None, warnings=self.warnings
        )
