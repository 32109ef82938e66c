"""Whether an image can be pulled: what a node does before it downloads layers, without downloading any.

First HEAD of the manifest, which registries do not count as a pull. Manifests and the config are read only if the
registry counts no pulls (Docker Hub: docs.docker.com/docker-hub/usage/pulls).
"""

import logging
from dataclasses import replace
from hashlib import sha256

from .address_guard import first_refused
from .answer import REDIRECTS, Answer
from .challenge import parse_challenges
from .credentials import Credentials
from .endpoint import Endpoint
from .fault import Fault
from .image import ImageQuery, ImageResult, PlatformSize, PullQuota, node_platforms, quota_of
from .manifest import ACCEPT, DOCUMENT_MAX, TYPES, Index, Single, is_digest, read_config, read_manifest
from .negative_control import random_credentials
from .realm import choose_realm, host_fault
from .reason import ImageReason, Reason
from .session import ProbeSession
from .token import TokenService
from .trace import Trace
from .transport import Transport

MOST_REQUESTS = 16
"""Requests of a probe about an image, in addition to those of its log-in."""
MOST_SIZES = 6
"""Platforms whose size is read: each costs a request."""
_DENIED = frozenset(
    {Reason.BAD_CREDENTIALS, Reason.CREDENTIALS_EXPIRED, Reason.PAT_REQUIRED, Reason.ACCESS_DENIED}
)
_NO_HEAD = frozenset({405, 501})
UNKNOWN = "NAME_UNKNOWN"
"""The error code for a repository that does not exist."""

logger = logging.getLogger(__name__)


class _Ended(Exception):
    """The answer is known. `result` replaces fields of the ImageResult."""

    def __init__(
        self, reason: ImageReason, *, cause: str | None = None, retry_after: int | None = None, note: str = ""
    ) -> None:
        super().__init__(reason.value)
        self.changes = {"reason": reason, "cause": cause, "retry_after": retry_after, "note": note}


def look_at_image(session: ProbeSession, query: ImageQuery, *, proven: bool) -> ImageResult:
    """Looks at an image after a log-in that succeeded. Raises nothing.

    Without a `proven` password it also asks as a random user, to see whether the registry checks the password here.
    """
    session.transport.allow(MOST_REQUESTS)
    look = _Look(session, query)
    try:
        with session.step("image"):
            look.look(proven=proven)
    except _Ended as ended:
        return replace(look.result, **ended.changes)  # type: ignore[arg-type]
    except Fault as fault:
        cause = fault.reason.value
        return replace(look.result, reason=ImageReason.FAILED, cause=cause, retry_after=fault.retry_after)
    except Exception as error:  # noqa: BLE001 - see probe()
        logger.error("the look at an image failed by %s, which is a defect", type(error).__name__)
        return replace(look.result, reason=ImageReason.FAILED, cause=Reason.UNEXPECTED_RESPONSE.value)
    return look.result


class _Look:
    """One image during one probe. `result` grows with what is found."""

    def __init__(self, session: ProbeSession, query: ImageQuery) -> None:
        self._session = session
        self._query = query
        self._path = f"{session.base.path.rstrip('/')}/{query.repository}"
        self._scope = f"repository:{query.repository}:pull"
        self._authorization = ""
        self.result = ImageResult(query.name, ImageReason.PULLABLE)

    def look(self, *, proven: bool) -> None:
        self._authorization = self._allowed(self._session.credentials)
        manifest = f"manifests/{self._query.reference}"
        answer = self._head(manifest)
        quota = quota_of(answer)
        digest = answer.header("docker-content-digest")
        self.result = replace(self.result, quota=quota, digest=self._shown_digest(digest))
        if not proven and self._session.policy.negative_control:
            self.result = replace(self.result, proves=self._refuses_others(manifest))
        if quota is not None:
            self._counted(answer, quota)
            return
        self._read(self._get(manifest, self._query.reference))

    def _counted(self, answer: Answer, quota: PullQuota) -> None:
        """A registry that counts pulls is not asked for more than the HEAD."""
        if (answer.header("content-type") or "").partition(";")[0].strip() not in TYPES:
            raise _Ended(ImageReason.UNREADABLE)
        if quota.remaining == 0:
            raise _Ended(ImageReason.RATE_LIMITED, note="pulls_counted")
        self.result = replace(self.result, note="pulls_counted")

    # Requests

    def _allowed(self, credentials: Credentials) -> str:
        """The Authorization header for this repository. Ended if the token service refuses."""
        session = self._session
        if session.realm is None:
            return credentials.basic
        try:
            token = TokenService(session, session.realm).exchange(credentials, self._scope)
        except Fault as fault:
            if fault.reason in _DENIED:
                raise _Ended(ImageReason.DENIED) from None
            if fault.reason is Reason.RATE_LIMITED:
                raise _Ended(ImageReason.RATE_LIMITED, retry_after=fault.retry_after) from None
            raise
        return f"Bearer {token}"

    def _head(self, path: str) -> Answer:
        """The 200 of a HEAD. Some servers implement only GET."""
        answer = self._send("HEAD", path)
        if answer.status == 401 and self._asks_for_token(answer):
            answer = self._send("HEAD", path)
        if answer.status in _NO_HEAD:
            answer = self._send("GET", path)
        if answer.status == 404:
            raise self._missing(answer, path)
        return _accepted(answer)

    def _asks_for_token(self, answer: Answer) -> bool:
        """Whether a registry that was open, or took Basic, wants a token for images. Gets one."""
        challenges = parse_challenges(answer.lines("www-authenticate"))
        if self._session.realm is not None or all(it.scheme != "bearer" for it in challenges):
            return False
        self._session.realm = choose_realm(self._session, challenges, password_sent=True)
        if self._session.realm is None:
            return False
        self._authorization = self._allowed(self._session.credentials)
        return True

    def _send(self, method: str, path: str, authorization: str | None = None) -> Answer:
        at = replace(self._session.base, path=f"{self._path}/{path}")
        return self._session.follow(method, at, authorization or self._authorization, ACCEPT, DOCUMENT_MAX)

    def _get(self, path: str, digest: str) -> bytes:
        """A document. Ended if it is too large, or is not the one with this digest."""
        return _checked(_accepted(self._send("GET", path)), digest)

    def _missing(self, answer: Answer, path: str) -> _Ended:
        """A HEAD has no body, and docker-registry has one code for an unknown tag and an unknown repository."""
        if quota_of(answer) is None and UNKNOWN in self._send("GET", path).error_codes:
            return _Ended(ImageReason.REPOSITORY_UNKNOWN)
        tags = self._send("GET", "tags/list")
        unknown = tags.status == 404 and UNKNOWN in tags.error_codes
        return _Ended(ImageReason.REPOSITORY_UNKNOWN if unknown else ImageReason.TAG_MISSING)

    def _refuses_others(self, path: str) -> bool:
        """Whether a random user is refused the image that these credentials may pull."""
        try:
            answer = self._send("HEAD", path, self._allowed(random_credentials()))
        except _Ended as ended:
            return ended.changes["reason"] is ImageReason.DENIED
        except Fault:
            return False
        return answer.status in (401, 403)

    # Platforms and sizes

    def _read(self, body: bytes) -> None:
        manifest = read_manifest(body)
        if manifest is None:
            raise _Ended(ImageReason.UNREADABLE)
        if isinstance(manifest, Index):
            self._read_index(manifest)
        else:
            self._read_single(manifest)
        self._compare()

    def _read_index(self, index: Index) -> None:
        """Sizes are read for the platforms of nodes first."""
        if not all(it.platform for it in index.entries) or not index.entries:
            self.result = replace(self.result, note="platforms_unread")
        entries = {it.platform: it for it in reversed(index.entries) if it.platform}
        wanted = [it.name for it in node_platforms(self._query.nodes or {}, entries) if it.covered]
        order = sorted(entries, key=lambda it: (it not in wanted, it))
        sizes: dict[str, int | None] = dict.fromkeys(sorted(entries))
        for platform in order[:MOST_SIZES]:
            sizes[platform] = self._size_of(entries[platform].digest)
        self._offer(sizes)

    def _size_of(self, digest: str) -> int | None:
        if self._session.scrubber.reveals(digest):
            return None
        try:
            manifest = read_manifest(self._get(f"manifests/{digest}", digest))
        except (_Ended, Fault):
            return None
        return manifest.size if isinstance(manifest, Single) else None

    def _read_single(self, manifest: Single) -> None:
        platform = "" if self._session.scrubber.reveals(manifest.config) else self._config(manifest.config)
        if platform:
            self._offer({platform: manifest.size})
        elif not self.result.note:
            self.result = replace(self.result, note="platforms_unread")

    def _config(self, digest: str) -> str:
        """The platform in a config, which the registry has itself or in a storage elsewhere."""
        answer = self._send("GET", f"blobs/{digest}")
        target = answer.redirect
        if target is not None:
            stored = self._from_storage(target)
            if stored is None:
                self.result = replace(self.result, note="storage_not_followed")
                return ""
            answer = stored
        return read_config(_checked(_accepted(answer), digest))

    def _from_storage(self, target: Endpoint) -> Answer | None:
        """The answer of a storage that the registry redirects to: over a connection of its own, without credentials.
        None if it may not be reached (address guard, plain HTTP behind https). The URL may be signed; it is not shown.
        """
        session, policy = self._session, self._session.policy
        if target.scheme == "http" and session.base.scheme == "https":
            return None
        left = max(session.transport.deadline.remaining, 0.001)
        with Transport(replace(policy, total_timeout=left), Trace(), session.base.netloc) as transport:
            try:
                addresses = transport.resolve(target.host, target.port)
                refused = first_refused(addresses, policy) is not None
                if refused or host_fault(session, target.host, target.port, addresses) is not None:
                    return None
                return transport.send("GET", target, limit=DOCUMENT_MAX)
            except Fault as fault:
                raise _Ended(ImageReason.STORAGE_UNREACHABLE, cause=fault.reason.value) from None

    def _offer(self, sizes: dict[str, int | None]) -> None:
        platforms = tuple(PlatformSize(name, size) for name, size in sizes.items())
        self.result = replace(self.result, platforms=platforms)
        if None in sizes.values() and not self.result.note:
            self.result = replace(self.result, note="sizes_unread")

    def _compare(self) -> None:
        """Compares the platforms with those of the nodes, if all are known."""
        if self._query.nodes and self.result.platforms and self.result.note in ("", "sizes_unread"):
            nodes = node_platforms(self._query.nodes, (it.name for it in self.result.platforms))
            self.result = replace(self.result, nodes=nodes)
            if not all(it.covered for it in nodes):
                self.result = replace(self.result, reason=ImageReason.PLATFORM_MISSING)

    def _shown_digest(self, value: str | None) -> str:
        return value if is_digest(value) and not self._session.scrubber.reveals(value) else ""


def _accepted(answer: Answer) -> Answer:
    """A 200 of a registry; otherwise Ended."""
    if answer.status == 200:
        if (answer.header("content-type") or "").strip().lower().startswith("text/html"):
            raise _Ended(ImageReason.FAILED, cause=Reason.NOT_A_REGISTRY.value)
        return answer
    if answer.status in (401, 403):
        raise _Ended(ImageReason.DENIED)
    if answer.status == 404:
        raise _Ended(ImageReason.UNREADABLE)  # a part of an image that is there
    if answer.status == 429:
        raise _Ended(ImageReason.RATE_LIMITED, retry_after=answer.retry_after)
    if answer.status in REDIRECTS:
        raise _Ended(ImageReason.FAILED, cause=Reason.REDIRECT_BLOCKED.value)
    server = 500 <= answer.status < 600
    cause = Reason.SERVER_ERROR if server else Reason.UNEXPECTED_RESPONSE
    raise _Ended(ImageReason.FAILED, cause=cause.value)


def _checked(answer: Answer, digest: str) -> bytes:
    """The body, if it is complete and has this digest. A tag has none to compare."""
    changed = is_digest(digest) and f"sha256:{sha256(answer.body).hexdigest()}" != digest
    if not answer.complete or changed:
        raise _Ended(ImageReason.UNREADABLE)
    return answer.body
