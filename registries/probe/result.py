"""How a test ended. Imports catalogue.py, certificate.py, reason.py and trace.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .catalogue import ADDRESS_PROBLEMS, CAUSES, CREDENTIAL_PROBLEMS, HINTS, MESSAGES, WARNINGS, Text
from .certificate import ServerCertificates
from .reason import Reason
from .trace import Step

__all__ = ["Reason", "Result", "Step"]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one test; it holds no password and no token, in whatever form.

    `cause` is a code that lies beneath the reason: a Reason, an AddressError or CredentialsError
    problem, a key of catalogue.CAUSES, or None. `params` fills the placeholders of the message. `detail`
    is what the server said (`quoted`), or what was found out here, at most 300 characters, scrubbed: to be
    shown, never stored. `retry_after` is in seconds. `registry_host` and `token_host` are host[:port].
    `warnings` are keys of catalogue.WARNINGS. `tls` describes a certificate that was not believed.
    `requests` and `connections` count what went over the network."""

    reason: Reason
    params: Mapping[str, str | int] = field(default_factory=dict)
    detail: str = ""
    cause: str | None = None
    retry_after: int | None = None
    registry_host: str | None = None
    token_host: str | None = None
    steps: tuple[Step, ...] = ()
    duration_ms: float = 0.0
    requests: int = 0
    connections: int = 0
    warnings: tuple[str, ...] = ()
    tls: ServerCertificates | None = None
    quoted: bool = False

    @property
    def ok(self) -> bool:
        """The registry can be used with these credentials."""
        return self.reason.ok

    @property
    def proven(self) -> bool:
        """The registry has checked the password: false for a success that is worth nothing."""
        return self.reason is Reason.OK

    def message(self, language: str = "zh") -> str:
        """The catalogue's sentence; Chinese for `zh…`, else English."""
        values = dict(self.params)
        if self.cause:
            values["cause"] = self._cause_text(self.cause, language)
        return MESSAGES[self.reason].filled(language, values)

    def hint(self, language: str = "zh") -> str:
        """What to do next: the hint of the reason, or of the exact problem with what was typed; then
        that of its cause; then a word on white space around the password."""
        hints = [self._problem(language) or HINTS[self.reason].of(language)]
        if self.cause in CAUSES:
            hints.append(CAUSES[self.cause].of(language))
        elif self.cause in _REASONS:
            hints.append(HINTS[Reason(self.cause)].of(language))
        if "password_outer_space" in self.warnings:
            hints.append(WARNINGS["password_outer_space"].of(language))
        return ("；" if language.lower().startswith("zh") else "; ").join(hints)

    def to_json(self, language: str = "zh") -> dict[str, object]:
        """Plain data with stable names, for the API and the command."""
        return {
            "ok": self.ok,
            "proven": self.proven,
            "reason": self.reason.value,
            "message": self.message(language),
            "hint": self.hint(language),
            "detail": self.detail,
            "cause": self.cause,
            "retryAfter": self.retry_after,
            "registryHost": self.registry_host,
            "tokenHost": self.token_host,
            "steps": [
                {"name": step.name, "milliseconds": step.milliseconds, "ok": step.ok, "host": step.host}
                for step in self.steps
            ],
            "durationMs": self.duration_ms,
            "requests": self.requests,
            "connections": self.connections,
            "warnings": list(self.warnings),
            "tls": self.tls.to_json() if self.tls else None,
        }

    def _problem(self, language: str) -> str | None:
        problems: dict[str, Text] = {**ADDRESS_PROBLEMS, **CREDENTIAL_PROBLEMS}
        text = problems.get(self.cause or "")
        return text.filled(language, self.params) if text else None

    def _cause_text(self, cause: str, language: str) -> str:
        if cause in CAUSES:
            return CAUSES[cause].of(language)
        return MESSAGES[Reason(cause)].of(language) if cause in _REASONS else cause


_REASONS = frozenset(reason.value for reason in Reason)
