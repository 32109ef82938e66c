"""The result of a probe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .catalogue import HINTS, MESSAGES
from .certificate import ServerCertificates
from .image import UPLINK, ImageResult
from .reason import Reason
from .remarks import ADDRESS_PROBLEMS, CAUSES, CREDENTIAL_PROBLEMS, NODE_VIEWS, WARNINGS
from .text import Text, is_chinese
from .trace import Step
from .validity import hint as hint_of_time
from .validity import message as message_of_time

__all__ = ["Reason", "Result", "Step"]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one probe. It holds no password and no token, in any form.

    `cause` is a code that explains the reason: a Reason, an AddressError or CredentialsError problem, a key of
    remarks.CAUSES, or None. `params` fills the placeholders of the message. `detail` is the server's message
    (`quoted` is True) or a finding of the probe; at most 300 characters, scrubbed, shown and never stored.
    `retry_after` is in seconds. `registry_host` and `token_host` are host[:port]. `warnings` are keys of
    remarks.WARNINGS. `node` is a key of remarks.NODE_VIEWS where some nodes fail though this test
    succeeds (node_view.py). `tls` describes certificates that were not trusted. `certificate_ends` is the earliest
    end of the certificates that the registry and its token service showed, trusted or not; None without a handshake.
    `credential_ends` is the end of a token that says so (Credentials.ends).
    `image` says whether the image that was looked at last can be pulled, and `images` has the answers about all that
    do not decide. `requests` and `connections` count network traffic.
    """

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
    node: str | None = None
    certificate_ends: datetime | None = None
    credential_ends: datetime | None = None
    image: ImageResult | None = None
    images: tuple[ImageResult, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the registry can be used with these credentials."""
        return self.reason.ok

    @property
    def proven(self) -> bool:
        """Whether the registry checked the password. False for a success that proves nothing."""
        return self.reason is Reason.OK

    def message(self, language: str | None = "zh") -> str:
        """The sentence of the catalogue: Chinese for `zh…`, else English."""
        values = dict(self.params)
        if self.cause:
            values["cause"] = self._cause_text(self.cause, language)
        return self._of_time(self.reason, language) or MESSAGES[self.reason].filled(language, values)

    def cause_message(self, language: str | None = "zh") -> str:
        """The sentence of the cause; "" when the cause has none."""
        known = self.cause in CAUSES or self.cause in _REASONS
        return self._cause_text(self.cause, language) if self.cause and known else ""

    def hint(self, language: str | None = "zh", first: str = "") -> str:
        """What to do next: `first` or the hint of the reason, or of the exact input problem; then the hint of the
        cause; then a note about white space or invisible characters in the password, which stands first where the
        password was refused."""
        hints = [self._problem(language) or first or self._hint(self.reason, language)]
        if self.cause in CAUSES:
            hints.append(CAUSES[self.cause].of(language))
        elif self.cause in _REASONS:
            hints.append(self._hint(Reason(self.cause), language))
        noted = ("password_outer_space", "password_invisible")
        pasted = [WARNINGS[it].of(language) for it in noted if it in self.warnings]
        hints = [*pasted, *hints] if self.reason is Reason.BAD_CREDENTIALS else [*hints, *pasted]
        return ("；" if is_chinese(language) else "; ").join(hints)

    def node_message(self, language: str | None = "zh") -> str:
        """Why nodes with containerd fail though this test succeeds; "" where they do not."""
        text = NODE_VIEWS.get(self.node or "")
        return text.filled(language, self.params) if text else ""

    def to_json(self, language: str | None = "zh", uplink: float = UPLINK) -> dict[str, object]:
        """Plain data with stable names, for the API and the command line. Pulls are timed at `uplink` Mbit/s."""
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
            "node": self.node,
            "nodeMessage": self.node_message(language),
            "tls": self.tls.to_json() if self.tls else None,
            "certificateEnds": self.certificate_ends.isoformat() if self.certificate_ends else None,
            "image": self.image.to_json(language, uplink) if self.image else None,
        }

    def _problem(self, language: str | None) -> str | None:
        problems: dict[str, Text] = {**ADDRESS_PROBLEMS, **CREDENTIAL_PROBLEMS}
        text = problems.get(self.cause or "")
        return text.filled(language, self.params) if text else None

    def _cause_text(self, cause: str, language: str | None) -> str:
        if cause in CAUSES:
            return CAUSES[cause].of(language)
        if cause not in _REASONS:
            return cause
        return self._of_time(Reason(cause), language) or MESSAGES[Reason(cause)].of(language)

    def _of_time(self, reason: Reason, language: str | None) -> str:
        return message_of_time(self.params, language) if reason is Reason.TLS_EXPIRED else ""

    def _hint(self, reason: Reason, language: str | None) -> str:
        of_time = hint_of_time(self.params, language) if reason is Reason.TLS_EXPIRED else ""
        return of_time or HINTS[reason].of(language)


_REASONS = frozenset(reason.value for reason in Reason)
