"""The codes of what stands in the way, which errors carry, rows store and the API sends."""

from enum import StrEnum


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
    NAMESPACE_FULL = "namespace_full"
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
    TOO_MANY_AT_ONCE = "too_many_at_once"
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
    MIRROR_SCHEME = "mirror_scheme"

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
    WHOLE_COMMAND = "whole_command"
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
