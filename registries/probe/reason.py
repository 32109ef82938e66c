"""The result codes of a connection test (connection-test.md, "Reason codes")."""

from enum import StrEnum


class Reason(StrEnum):
    """All results of a probe. The values are stored and are part of the API."""

    OK = "ok"
    OK_UNVERIFIED = "ok_unverified"
    INVALID_DOMAIN = "invalid_domain"
    INVALID_CREDENTIALS_FORMAT = "invalid_credentials_format"
    PLAIN_HTTP_FORBIDDEN = "plain_http_forbidden"
    DNS_FAILED = "dns_failed"
    BLOCKED_ADDRESS = "blocked_address"
    CONNECTION_REFUSED = "connection_refused"
    NETWORK_UNREACHABLE = "network_unreachable"
    TIMEOUT = "timeout"
    CONNECTION_RESET = "connection_reset"
    PROXY_ERROR = "proxy_error"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_EXPIRED = "tls_expired"
    TLS_HOSTNAME_MISMATCH = "tls_hostname_mismatch"
    TLS_HANDSHAKE_FAILED = "tls_handshake_failed"
    PLAIN_HTTP_SERVER = "plain_http_server"
    HTTPS_REQUIRED = "https_required"
    NOT_A_REGISTRY = "not_a_registry"
    REDIRECT_BLOCKED = "redirect_blocked"
    BAD_CHALLENGE = "bad_challenge"
    UNSUPPORTED_AUTH = "unsupported_auth"
    UNEXPECTED_RESPONSE = "unexpected_response"
    REALM_INSECURE = "realm_insecure"
    REALM_BLOCKED = "realm_blocked"
    TOKEN_SERVICE_UNREACHABLE = "token_service_unreachable"  # noqa: S105 - a code, not a secret
    TOKEN_SERVICE_ERROR = "token_service_error"  # noqa: S105
    TOKEN_INVALID_RESPONSE = "token_invalid_response"  # noqa: S105
    TOKEN_REJECTED = "token_rejected"  # noqa: S105
    BAD_CREDENTIALS = "bad_credentials"
    CREDENTIALS_EXPIRED = "credentials_expired"
    PAT_REQUIRED = "pat_required"
    ACCESS_DENIED = "access_denied"
    RATE_LIMITED = "rate_limited"
    PROBE_IMAGE_DENIED = "probe_image_denied"
    SERVER_ERROR = "server_error"

    @property
    def ok(self) -> bool:
        """True for OK and OK_UNVERIFIED. Only OK proves the password."""
        return self in (Reason.OK, Reason.OK_UNVERIFIED)


class ImageReason(StrEnum):
    """Whether an image can be pulled. The values are stored and are part of the API."""

    PULLABLE = "image_pullable"
    TAG_MISSING = "image_tag_missing"
    DENIED = "image_denied"
    REPOSITORY_UNKNOWN = "image_repository_unknown"
    PLATFORM_MISSING = "image_platform_missing"
    RATE_LIMITED = "image_rate_limited"
    UNREADABLE = "image_unreadable"
    STORAGE_UNREACHABLE = "image_storage_unreachable"
    FAILED = "image_failed"
