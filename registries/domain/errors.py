"""The errors that a caller can act on, each with its Kubernetes reason and HTTP status.

ConsoleError
├── NotFound          404  not found, or not visible to the caller
├── Forbidden         403  visible, but the caller lacks the role
│   └── Refused       403  the caller has the role, but a rule of the cluster refuses the write
├── AlreadyExists     409  the name is taken
├── Conflict          409  the object was changed, deleted or created again since it was read
├── Invalid           422  one cause per field
├── TooManyRequests   429  the caller has to slow down
│   └── LeftAlone          the registry asked for a pause (Retry-After)
└── Unavailable       503  the store cannot answer now
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Problem(StrEnum):
    """A stable code for the reason of a failure. Codes are stored in rows and sent by the API, so they never change.

    words/problems.py has the sentences.
    """

    # The reasons of the errors, for an error without a problem of its own
    INTERNAL_ERROR = "InternalError"
    NOT_FOUND = "NotFound"
    FORBIDDEN = "Forbidden"
    ALREADY_EXISTS = "AlreadyExists"
    CONFLICT = "Conflict"
    INVALID = "Invalid"
    TOO_MANY_REQUESTS = "TooManyRequests"
    UNAVAILABLE = "ServiceUnavailable"

    # A registry or a namespace
    GONE = "gone"
    RECREATED = "recreated"
    CHANGED = "changed"
    BEING_DELETED = "being_deleted"
    NOT_EMPTY = "not_empty"
    NO_UNDO = "no_undo"
    UNDO_TAKEN = "undo_taken"
    NAMESPACES_ELSEWHERE = "namespaces_elsewhere"
    COPY_PRESENT = "copy_present"
    NAME_TAKEN = "name_taken"
    SOURCE_UNUSABLE = "source_unusable"
    NO_LABELS = "no_labels"
    KEPT_IN_STEP = "kept_in_step"
    KEY_MISSING = "key_missing"
    SEAL_BROKEN = "seal_broken"

    # A test
    UNDER_WAY = "under_way"
    LEFT_ALONE = "left_alone"
    REGISTRY_BUSY = "registry_busy"
    INTERRUPTED = "interrupted"

    # A run
    ALREADY_RUNNING = "already_running"
    RUN_UNDER_WAY = "run_under_way"
    NOT_CANCELLABLE = "not_cancellable"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    SKIPPED = "skipped"
    PASSWORD_FORGOTTEN = "password_forgotten"  # noqa: S105  a code

    # A person
    HASHING = "hashing"
    SESSION_ENDED = "session_ended"
    REVIEWS_FORBIDDEN = "reviews_forbidden"
    TOKENREVIEWS_FORBIDDEN = "tokenreviews_forbidden"
    CERTIFICATE_UNUSABLE = "certificate_unusable"
    LAST_ADMINISTRATOR = "last_administrator"

    # A cluster
    CLUSTER_AWAY = "cluster_away"
    CLUSTER_TIMEOUT = "cluster_timeout"
    CLUSTER_UNCERTAIN = "cluster_uncertain"
    CLUSTER_CERTIFICATE = "cluster_certificate"
    CLUSTER_TOKEN = "cluster_token"  # noqa: S105  a code
    CLUSTER_FORBIDDEN = "cluster_forbidden"
    CLUSTER_FAILED = "cluster_failed"
    CLUSTER_REFUSED = "cluster_refused"
    CLUSTER_UNCONFIGURED = "cluster_unconfigured"
    QUOTA_EXCEEDED = "quota_exceeded"
    TERMINATING = "terminating"
    NAMESPACE_MISSING = "namespace_missing"
    CRD_MISSING = "crd_missing"
    PASSWORD_FIXED = "password_fixed"  # noqa: S105  a code
    INSTALLATION_FORBIDDEN = "installation_forbidden"
    FIRST_LIST = "first_list"

    # A pull secret
    NO_SERVICE_ACCOUNT = "no_service_account"
    SERVICEACCOUNTS_FORBIDDEN = "serviceaccounts_forbidden"
    WORKLOADS_FORBIDDEN = "workloads_forbidden"
    PODS_FORBIDDEN = "pods_forbidden"
    NO_PULL_SECRETS = "no_pull_secrets"
    PULL_SECRET_FOREIGN = "pull_secret_foreign"  # noqa: S105  a code

    # A field of a form or a body
    REQUIRED = "required"
    UNKNOWN = "unknown"
    TAKEN = "taken"
    FORBIDDEN_HERE = "forbidden"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_LONG_HERE = "too_long_here"
    TOO_MANY = "too_many"
    CHARACTERS = "characters"
    ENDS = "ends"
    CONTROL_CHARACTER = "control_character"
    DIRECTION_MARK = "direction_mark"
    HOLDS_PASSWORD = "holds_password"  # noqa: S105  a code
    TLS_WITHOUT_HTTPS = "tls_without_https"
    CA_EMPTY = "ca_empty"
    CA_UNREADABLE = "ca_unreadable"
    CA_PRIVATE_KEY = "ca_private_key"
    CA_TOO_MANY = "ca_too_many"
    ACCOUNT_NAME = "account_name"
    PASSWORD_TOO_SHORT = "password_too_short"  # noqa: S105  a code
    PASSWORD_TOO_COMMON = "password_too_common"  # noqa: S105  a code
    PASSWORD_TOO_SIMILAR = "password_too_similar"  # noqa: S105  a code
    PASSWORD_REFUSED = "password_refused"  # noqa: S105  a code
    PASSWORD_AGAIN = "password_again"  # noqa: S105  a code
    PASSWORD_WEAK = "weak"  # noqa: S105  a code
    IMAGE_NAME = "image_name"
    IMAGE_ELSEWHERE = "image_elsewhere"
    EXPIRY = "expiry"
    DATE = "date"

    # A channel for messages
    CHANNEL_TAKEN = "channel_taken"
    CHANNEL_URL = "channel_url"
    CHANNEL_HTTP = "channel_http"
    CHANNEL_SECRET = "channel_secret"  # noqa: S105  a code
    WEBHOOK_SECRET = "webhook_secret"  # noqa: S105  a code
    RECIPIENTS = "recipients"
    TOO_MANY_CHANNELS = "too_many_channels"

    # A mirror
    MIRROR_ITSELF = "mirror_itself"
    MIRROR_PATH = "mirror_path"

    # A silence
    SILENCE_TIME = "silence_time"
    SILENCE_DAY = "silence_day"

    # A resource or a run in a body of the API
    WRONG_TYPE = "type"
    OBJECT = "object"
    BOOLEAN = "boolean"
    UNKNOWN_TYPE = "unknown_type"
    ITEMS = "items"
    ITEM = "item"
    TWICE = "twice"
    NO_COPY = "no_copy"
    IMMUTABLE = "immutable"
    METADATA_KEY = "metadata_key"
    LABEL_VALUE = "label_value"
    ANNOTATIONS_SIZE = "annotations_size"

    # An address or a credential; the probe uses the same codes
    WHITESPACE_INSIDE = "whitespace_inside"
    FULL_WIDTH = "full_width"
    BAD_SCHEME = "bad_scheme"
    USER_INFO = "user_info"
    QUERY_OR_FRAGMENT = "query_or_fragment"
    BACKSLASH = "backslash"
    ZONE_ID = "zone_id"
    UNDERSCORE = "underscore"
    BAD_LABEL = "bad_label"
    BAD_PORT = "bad_port"
    BAD_IP = "bad_ip"
    USERNAME_EMPTY = "username_empty"
    USERNAME_COLON = "username_colon"
    USERNAME_CONTROL_CHARACTER = "username_control_character"
    USERNAME_NOT_TEXT = "username_not_text"
    PASSWORD_EMPTY = "password_empty"  # noqa: S105  a code
    PASSWORD_CONTROL_CHARACTER = "password_control_character"  # noqa: S105  a code
    PASSWORD_NOT_TEXT = "password_not_text"  # noqa: S105  a code

    # A credential for a log-in to the cluster
    TOKEN_MALFORMED = "token_malformed"  # noqa: S105  a code
    CREDENTIAL_INVISIBLE = "credential_invisible"
    PROOF_EXPIRED = "proof_expired"
    PROOF_REFUSED = "proof_refused"
    KUBECONFIG_MALFORMED = "kubeconfig_malformed"
    KUBECONFIG_CONTEXT = "kubeconfig_context"
    KUBECONFIG_ELSEWHERE = "kubeconfig_elsewhere"
    KUBECONFIG_PLUGIN = "kubeconfig_plugin"
    KUBECONFIG_FILE = "kubeconfig_file"
    KUBECONFIG_BASIC = "kubeconfig_basic"
    KUBECONFIG_IMPERSONATION = "kubeconfig_impersonation"
    KUBECONFIG_CERTIFICATE = "kubeconfig_certificate"
    KUBECONFIG_EMPTY = "kubeconfig_empty"


class ConsoleError(Exception):
    """Base of the tree. `subject` names the object concerned ("team-a/harbor-prod") and never holds a secret.

    `problem` is a code, or None when the class of the error says everything.
    """

    reason: ClassVar[str] = "InternalError"
    status: ClassVar[int] = 500

    def __init__(self, subject: str = "", problem: Problem | None = None, detail: str = "") -> None:
        """`detail` is for logs. It is used only without a problem."""
        told = problem or detail
        super().__init__(f"{self.reason}: {subject}{': ' + told if told else ''}")
        self.subject = subject
        self.problem = problem

    @property
    def code(self) -> Problem:
        """The problem; without one, the reason."""
        return self.problem or Problem(self.reason)


class NotFound(ConsoleError):
    reason = "NotFound"
    status = 404


class Forbidden(ConsoleError):
    """`role` is the weakest role that would be enough; or `problem` says what is missing instead."""

    reason = "Forbidden"
    status = 403

    def __init__(self, subject: str = "", role: str = "", problem: Problem | None = None) -> None:
        super().__init__(subject, problem, f"needs {role}" if role else "")
        self.role = role


class Refused(Forbidden):
    """`problem` is `quota_exceeded`, `cluster_refused` (admission) or `password_fixed`. A retry does not help."""

    def __init__(self, subject: str, problem: Problem) -> None:
        super().__init__(subject, problem=problem)


class AlreadyExists(ConsoleError):
    reason = "AlreadyExists"
    status = 409


class Conflict(ConsoleError):
    """`problem` names the conflict: `changed`, `recreated`, `not_empty`, `already_running` and others."""

    reason = "Conflict"
    status = 409


FIELD_MAX = 400
"""Characters of a field or subject in an error. The path of an annotation and a key fit, so those are never cut."""
PART_MAX = 100
CAUSES_MAX = 50


def shortened(text: str, most: int = FIELD_MAX) -> str:
    """At most `most` characters of a text, and an ellipsis where it goes on."""
    return text if len(text) <= most else text[:most] + "…"


@dataclass(frozen=True, slots=True)
class Cause:
    """One problem with one field. `limit` is a maximum length. `part` is the invalid part of an address; it never
    comes from a secret. A client may choose both texts, so they are cut."""

    field: str
    problem: Problem
    limit: int | None = None
    part: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", shortened(self.field))
        object.__setattr__(self, "part", shortened(self.part, PART_MAX))


class Causes:
    """Collects causes: the first CAUSES_MAX different ones, and the number of further ones.

    A short request can have thousands of wrong fields, and its answer must not be many times as long.
    """

    def __init__(self, causes: Iterable[Cause] = ()) -> None:
        self._first: dict[Cause, None] = {}
        self.further = 0
        self.add(*causes)

    def add(self, *causes: Cause) -> None:
        for cause in causes:
            if len(self._first) < CAUSES_MAX:
                self._first[cause] = None
            elif cause not in self._first:
                self.further += 1

    def include(self, other: "Causes") -> None:
        self.add(*other)
        self.further += other.further

    def __iter__(self) -> Iterator[Cause]:
        return iter(self._first)

    def __bool__(self) -> bool:
        return bool(self._first)


class Invalid(ConsoleError):
    """`causes` has at most CAUSES_MAX causes; `further` is the number of those left out."""

    reason = "Invalid"
    status = 422

    def __init__(self, subject: str, causes: Iterable[Cause]) -> None:
        collected = causes if isinstance(causes, Causes) else Causes(causes)
        self.causes = tuple(collected)
        self.further = collected.further
        told = ", ".join(f"{cause.field} {cause.problem}" for cause in self.causes)
        super().__init__(shortened(subject), detail=told)


class TooManyRequests(ConsoleError):
    """`retry_after` is in seconds. `problem` is None when there were too many requests."""

    reason = "TooManyRequests"
    status = 429

    def __init__(self, subject: str = "", retry_after: int = 1, problem: Problem | None = None) -> None:
        super().__init__(subject, problem, f"retry after {retry_after} s")
        self.retry_after = retry_after


class LeftAlone(TooManyRequests):
    """A registry asked for a pause for one user name. `retry_after` is the rest of that pause, in seconds."""


class Unavailable(ConsoleError):
    """`passing` is True when the failure may be over in a moment: background work waits and retries."""

    reason = "ServiceUnavailable"
    status = 503

    def __init__(self, subject: str = "", problem: Problem | None = None, *, passing: bool = False) -> None:
        super().__init__(subject, problem)
        self.passing = passing
