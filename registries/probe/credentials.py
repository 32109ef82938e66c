"""User name and password: their format, and the Authorization header."""

import base64
import unicodedata
from dataclasses import dataclass, field

IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 - docker stores refresh tokens under this name
_PASSWORD_CONTROLS = "\t\n\r"  # noqa: S105 - a pasted _json_key contains them


class CredentialsError(ValueError):
    """A user name or password that cannot be sent. `field` is 'username' or 'password'. `problem` is a stable code
    with a text in catalogue.CREDENTIAL_PROBLEMS. The error holds neither value."""

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
    """Whether the password contains a character without width, such as U+200B, which a chat or a wiki adds."""
    return any(unicodedata.category(character) == "Cf" for character in password)


def _is_text(value: str) -> bool:
    """False for lone surrogates: JSON allows them, UTF-8 does not."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
