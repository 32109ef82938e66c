"""Actions and outcomes in the audit log."""

from enum import StrEnum

from registries.domain.registry import Key

OK = "ok"
"""The outcome of a successful action. A refused action has the reason of its error."""
IN_DOUBT = "uncertain"
"""The outcome of an action without an answer: the store received it and may have applied it."""
BY_RULE = "rule"
"""The `source` of an Access of a rule that acts for a person, instead of an IP address."""
REPLACED = "replaced "
"""The beginning of the note of a registry that took the place of another one; its uid follows."""
OF_SECRET = " secret "  # noqa: S105  no password
"""Between the address and the Secret (namespace/name) in the note of a new registry."""
ROBOT = "robot "
"""The beginning of the note of a second robot account of Harbor; its name and the name of the first one follow."""


class Action(StrEnum):
    CREATE = "create"
    EDIT = "edit"
    PASSWORD = "password"  # noqa: S105  an action
    COPY = "copy"
    SYNC = "sync"
    DELETE = "delete"
    UNDO = "undo"
    TEST = "test"
    TRY = "try"
    SEE = "see"
    LOGIN = "login"
    LOGOUT = "logout"
    ACCOUNT = "account"
    GRANT = "grant"
    NAMESPACE = "namespace"
    BIND = "bind"
    UNBIND = "unbind"
    RESTART = "restart"
    EXPORT = "export"
    TOKEN = "token"  # noqa: S105  an object, not a secret
    CHANNEL = "channel"
    SILENCE = "silence"
    INTERVAL = "interval"
    NODE_TEST = "node_test"
    MIRROR = "mirror"


def note_of_new(address: str, adopted: Key | None) -> str:
    """The note of a new registry; `adopted` is the Secret that its password was taken from."""
    return f"{address}{OF_SECRET}{adopted}" if adopted else address
