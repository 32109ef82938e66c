"""User name and password: their format, and the Authorization header."""

import base64
import json
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime

IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 - docker stores refresh tokens under this name
_JWT_PARTS = 3
_LAST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
"""A later end is none."""
_PASSWORD_CONTROLS = "\t\n\r"  # noqa: S105 - a pasted _json_key contains them


class CredentialsError(ValueError):
    """A user name or password that cannot be sent. `field` is 'username' or 'password'. `problem` is a stable code
    with a text in remarks.CREDENTIAL_PROBLEMS. The error holds neither value."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password. The repr shows the user name only."""

    username: str
    password: str = field(repr=False)

    @property
    def is_identity_token(self) -> bool:
        return self.username == IDENTITY_TOKEN_USER

    @property
    def basic(self) -> str:
        """The value of an Authorization header, encoded as UTF-8 (RFC 7617, section 2.1)."""
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")

    @property
    def ends(self) -> datetime | None:
        """When a token ends, if it says so: `exp` of a JSON Web Token (RFC 7519), or `expiration` of a password of AWS
        ECR, which is JSON in base64. Both are seconds since the epoch."""
        parts = self.password.strip().split(".")
        text, name = (parts[1], "exp") if len(parts) == _JWT_PARTS else (parts[0], "expiration")
        text = text.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            claims = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except (ValueError, RecursionError):
            return None
        ends = claims.get(name) if isinstance(claims, dict) else None
        if isinstance(ends, bool) or not isinstance(ends, int | float):
            return None
        return datetime.fromtimestamp(ends, UTC) if 0 < ends < _LAST else None


_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, without those of category Cf; and U+2800."""


def check_credentials(username: str, password: str) -> None:
    """Raises CredentialsError for what RFC 7617 or the API does not allow: an empty user name, a colon or control
    character in it, an empty password, or control characters in it other than tab and line breaks. Removes nothing."""
    if not username.strip():
        raise CredentialsError("username", "username_empty")
    if ":" in username:
        raise CredentialsError("username", "username_colon")
    if any(unicodedata.category(character) == "Cc" for character in username):
        raise CredentialsError("username", "username_control_character")
    if not _is_text(username):
        raise CredentialsError("username", "username_not_text")
    if not password:
        raise CredentialsError("password", "password_empty")
    if any(unicodedata.category(c) == "Cc" and c not in _PASSWORD_CONTROLS for c in password):
        raise CredentialsError("password", "password_control_character")
    if not _is_text(password):
        raise CredentialsError("password", "password_not_text")


def has_outer_space(password: str) -> bool:
    """Whether the password starts or ends with white space. That is allowed, and often a copy-and-paste mistake."""
    return password != password.strip()


def has_invisible(password: str) -> bool:
    """Whether the password contains a character that nobody sees, such as U+200B, or inside of it a space that is no
    plain one: a chat or a wiki adds them."""
    odd = (it for it in password.strip() if it != " ")
    return any(unicodedata.category(it) in ("Cf", "Zs", "Zl", "Zp") or _UNSEEN.match(it) for it in odd)


def _is_text(value: str) -> bool:
    """False for lone surrogates: JSON allows them, UTF-8 does not."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
