"""Bearer tokens: JSON web tokens (RFC 7519) signed with HMAC, with the claims of the distribution specification."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

LIFETIME = 300  # seconds, as Docker Hub's
MAX_LENGTH = 16384


@dataclass(frozen=True)
class Access:
    """The allowed actions on one resource: an entry of the `access` claim of a token, or a scope of a request."""

    type: str
    name: str
    actions: tuple[str, ...]

    @classmethod
    def parse(cls, scope: str) -> "Access | None":
        """Parses `repository:team/app:pull,push`. The name may contain colons (a port), so the text is split at
        both ends."""
        kind, _, rest = scope.partition(":")
        name, colon, actions = rest.rpartition(":")
        if not (kind and name and colon):
            return None
        return cls(kind, name, tuple(filter(None, actions.split(","))))

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


@dataclass(frozen=True)
class Claims:
    """The claims of a valid token: its subject (empty if anonymous) and the allowed access."""

    subject: str
    access: tuple[Access, ...]

    def allows(self, wanted: Access) -> bool:
        return any(
            (held.type, held.name) == (wanted.type, wanted.name) and set(wanted.actions) <= set(held.actions)
            for held in self.access
        )


@dataclass(frozen=True)
class TokenKey:
    """The secret that a token service and its registry share. It exists as long as the process."""

    issuer: str
    service: str
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def issue(self, subject: str, access: Sequence[Access] = (), *, lifetime: int = LIFETIME) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": subject,
            "aud": self.service,
            "iat": now,
            # Allows for a registry whose clock is slightly slow, as real issuers do.
            "nbf": now - 10,
            "exp": now + lifetime,
            "jti": secrets.token_hex(8),
            "access": [{"type": a.type, "name": a.name, "actions": list(a.actions)} for a in access],
        }
        signed = f"{_encode_json({'typ': 'JWT', 'alg': 'HS256'})}.{_encode_json(claims)}"
        return f"{signed}.{_encode(self._signature(signed))}"

    def check(self, token: str) -> Claims | None:
        """The claims of a token that this key signed for this service and that is valid now; else None."""
        if len(token) > MAX_LENGTH:
            return None
        signed, _, signature = token.rpartition(".")
        # The encoded text is compared, so a token has only one valid spelling.
        if not hmac.compare_digest(signature.encode(), _encode(self._signature(signed)).encode()):
            return None
        payload = signed.partition(".")[2]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        in_time = claims["nbf"] <= time.time() < claims["exp"]
        if not in_time or (claims["iss"], claims["aud"]) != (self.issuer, self.service):
            return None
        access = (Access(a["type"], a["name"], tuple(a["actions"])) for a in claims["access"])
        return Claims(claims["sub"], tuple(access))

    def _signature(self, signed: str) -> bytes:
        return hmac.digest(self.secret, signed.encode(), hashlib.sha256)


def _encode_json(value: object) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
