"""Whether a mirror answers as a registry, and which digest it gives for an image. No credential is ever sent to it."""

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from urllib.parse import urlencode

from registries.addresses import AddressError, parse_address

from .answer import REDIRECTS, Answer
from .challenge import parse_challenges
from .credentials import Credentials
from .endpoint import parse_endpoint
from .engine import ping
from .fault import Fault
from .manifest import ACCEPT, DOCUMENT_MAX, is_digest
from .policy import Policy
from .realm import choose_realm, guard_registry
from .reason import Reason
from .scrubber import Scrubber
from .session import ProbeSession
from .statuses import status_fault
from .token import TokenService
from .trace import Trace
from .transport import Transport

_NOBODY = Credentials("", "")
_NO_HEAD = frozenset({405, 501})

logger = logging.getLogger(__name__)


class Found(StrEnum):
    """What a registry says of an image to somebody without a credential."""

    DIGEST = "digest"
    MISSING = "missing"
    REFUSED = "refused"
    """It asks for a credential."""
    NOTHING = ""
    """It was not asked, or gave no digest."""


@dataclass(frozen=True, slots=True)
class MirrorAnswer:
    """`reason` is OK if it answers as a registry; else it explains the failure. It holds no text of the server."""

    reason: Reason
    found: Found = Found.NOTHING
    digest: str = ""


def look_at_mirror(
    address: str, policy: Policy, repository: str = "", reference: str = "", upstream: str = ""
) -> MirrorAnswer:
    """Asks a mirror for /v2/ and, with a `repository`, for the digest of `reference`, which is a tag or a digest.

    `upstream` is the host of the mirrored registry, sent as `ns` as containerd does; "" for that registry itself.
    Takes at most policy.total_timeout seconds and raises nothing.
    """
    try:
        parsed = parse_address(address)
    except AddressError:
        return MirrorAnswer(Reason.INVALID_DOMAIN)
    if parsed.plain_http and not policy.allow_plain_http:
        return MirrorAnswer(Reason.PLAIN_HTTP_FORBIDDEN)
    trace, base = Trace(), parse_endpoint(f"{parsed.registry_url}/v2/")
    with Transport(policy, trace, parsed.canonical) as transport:
        session = ProbeSession(base, _NOBODY, policy, transport, trace, Scrubber("", ""))
        try:
            if base.scheme == "https":
                transport.trust()
            guard_registry(session)
            ping(session)
            return _Look(session, repository, upstream).look(reference) if repository else _answers()
        except Fault as fault:
            return MirrorAnswer(fault.reason)
        except Exception as error:  # noqa: BLE001 - see probe()
            logger.error("the look at a mirror failed by %s, which is a defect", type(error).__name__)
            return MirrorAnswer(Reason.UNEXPECTED_RESPONSE)


def _answers(found: Found = Found.NOTHING, digest: str = "") -> MirrorAnswer:
    return MirrorAnswer(Reason.OK, found, digest)


class _Look:
    """One image at one registry, without a credential; at most with an anonymous token."""

    def __init__(self, session: ProbeSession, repository: str, upstream: str) -> None:
        self._session = session
        self._repository = repository
        self._query = urlencode({"ns": upstream}) if upstream else ""

    def look(self, reference: str) -> MirrorAnswer:
        authorization = None
        answer = self._send("HEAD", reference, authorization)
        if answer.status == 401:
            authorization = self._anonymous(answer)
            if authorization is None:
                return _answers(Found.REFUSED)
            answer = self._send("HEAD", reference, authorization)
        digest = answer.header("docker-content-digest")
        if answer.status in _NO_HEAD or (answer.status == 200 and not is_digest(digest)):
            answer = self._send("GET", reference, authorization)
            digest = f"sha256:{sha256(answer.body).hexdigest()}" if answer.complete else None
        if answer.status in (401, 403):
            return _answers(Found.REFUSED)
        if answer.status == 404:
            return _answers(Found.MISSING)
        if answer.status in REDIRECTS:
            raise Fault(Reason.REDIRECT_BLOCKED)
        if answer.status != 200:
            raise status_fault(answer)
        return _answers(Found.DIGEST, digest) if is_digest(digest) else _answers()

    def _anonymous(self, answer: Answer) -> str | None:
        """The Authorization header of an anonymous token; None if the registry gives none."""
        challenges = parse_challenges(answer.lines("www-authenticate"))
        if not challenges:
            return None
        realm = choose_realm(self._session, challenges)
        if realm is None:
            return None
        try:
            token = TokenService(self._session, realm).anonymous(f"repository:{self._repository}:pull")
        except Fault as fault:
            if fault.reason in (Reason.BAD_CREDENTIALS, Reason.ACCESS_DENIED):
                return None
            raise
        return f"Bearer {token}"

    def _send(self, method: str, reference: str, authorization: str | None) -> Answer:
        base = self._session.base
        path = f"{base.path.rstrip('/')}/{self._repository}/manifests/{reference}"
        at = replace(base, path=path, query=self._query)
        return self._session.follow(method, at, authorization, ACCEPT, DOCUMENT_MAX)
