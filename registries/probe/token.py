"""Token requests (the distribution token and OAuth2 specifications) and their responses."""

import base64
import re

from .answer import REDIRECTS, Answer
from .credentials import Credentials
from .endpoint import Endpoint, EndpointError
from .fault import Fault
from .realm import USUAL, Realm, unreachable
from .reason import Reason
from .session import ProbeSession
from .statuses import rate_limited, refusal
from .transport import TOKEN_BODY

CLIENT_ID = "registry-console"
_MOST_REDIRECTS = 3
# A POST becomes a GET without the credential after the other redirects.
_FOLLOWED = {"GET": REDIRECTS, "POST": frozenset({307, 308})}
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
# The server does not implement GET. It may implement the OAuth2 POST.
_NO_SUCH_METHOD = frozenset({404, 405, 501})
# Faults that mean an unexpected server, not a network failure.
_GARBLED = frozenset({Reason.NOT_A_REGISTRY, Reason.UNEXPECTED_RESPONSE})


class TokenService:
    """One realm during one probe. `uses_get` is set by an exchange and says which method worked. `scope` is that of
    the last exchange of the session's credentials, `posted` the last answer to them by POST."""

    def __init__(self, session: ProbeSession, realm: Realm) -> None:
        self._session = session
        self._realm = realm
        self.uses_get = True
        self.posted: Answer | None = None
        self.scope: str | None = None

    @property
    def host(self) -> str:
        return self._realm.endpoint.netloc

    @property
    def key(self) -> tuple[str, str, str]:
        """The key of this realm in a RealmMemory."""
        scheme, host, port = self._session.base.origin
        return (f"{scheme}://{host}:{port}", self._realm.endpoint.url, self._realm.service or "")

    def exchange(self, credentials: Credentials, scope: str | None = None) -> str:
        """A token for these credentials, or a Fault: BAD_CREDENTIALS or a related reason when refused.

        No scope is sent unless one is given: with any scope Harbor answers a wrong password with 200 and an
        anonymous token. offline_token is never sent: it would leave a refresh token behind.
        """
        if credentials is self._session.credentials:
            self.scope = scope
        if credentials.is_identity_token:
            answer = self.post(credentials, scope)
            if not _asks_for_get(answer):
                self.uses_get = False
                return self._token(answer)
        answer = self._get(credentials, scope)
        self.uses_get = answer.status not in _NO_SUCH_METHOD
        if not self.uses_get:
            answer = self.post(credentials, scope)
        return self._token(answer)

    def anonymous(self, scope: str | None = None) -> str:
        """A token without credentials, or a Fault."""
        return self._token(self._get(None, scope))

    def _get(self, credentials: Credentials | None, scope: str | None) -> Answer:
        query = self._parameters(scope)
        authorization = None
        if credentials:
            authorization = credentials.basic
            # A password must not be in a URL. The account is in the Authorization header anyway.
            if credentials.password.casefold() not in credentials.username.casefold():
                query["account"] = credentials.username
        return self._send("GET", query, authorization, None)

    def post(self, credentials: Credentials, scope: str | None = None) -> Answer:
        """The answer to a request by POST (OAuth2)."""
        if credentials.is_identity_token:
            grant = {"grant_type": "refresh_token", "refresh_token": credentials.password}
        else:
            form = {"username": credentials.username, "password": credentials.password}
            grant = {"grant_type": "password", **form}
        answer = self._send("POST", {}, None, {**grant, **self._parameters(scope)})
        if credentials is self._session.credentials:
            self.posted = answer
        return answer

    def _parameters(self, scope: str | None) -> dict[str, str]:
        named = {"service": self._realm.service, "client_id": CLIENT_ID, "scope": scope}
        return {name: value for name, value in named.items() if value}

    def _send(
        self, method: str, query: dict[str, str], authorization: str | None, form: dict[str, str] | None
    ) -> Answer:
        endpoint = self._realm.endpoint.with_query(query) if query else self._realm.endpoint
        try:
            for _ in range(_MOST_REDIRECTS):
                answer = self._session.transport.send(
                    method, endpoint, authorization=authorization, form=form, limit=TOKEN_BODY
                )
                target = self._redirected(answer, _FOLLOWED[method])
                if target is None:
                    return answer
                endpoint = target
            return answer
        except Fault as fault:
            if fault.cause == "request_budget":
                raise
            if fault.reason in _GARBLED:
                raise Fault(Reason.TOKEN_INVALID_RESPONSE, fault.said) from None
            raise unreachable(self._realm.endpoint, fault) from None

    def _redirected(self, answer: Answer, followed: frozenset[int]) -> Endpoint | None:
        """The target of a redirect on the same origin, which docker and containerd follow; None for any other."""
        location = answer.header("location")
        if answer.status not in followed or location is None:
            return None
        try:
            target = answer.at.resolve(location)
        except EndpointError:
            return None
        known = f"{USUAL} {answer.at.url}"
        same = target.origin == answer.at.origin
        return target if same and not self._session.scrubber.reveals(target.url, known) else None

    def _token(self, answer: Answer) -> str:
        """The token in an answer; from now on the scrubber knows it."""
        if answer.status != 200:
            raise _no_token(answer, self._session.credentials)
        document = answer.document
        found = (
            [document.get(name) for name in ("token", "access_token")] if isinstance(document, dict) else []
        )
        for token in found:
            if isinstance(token, str) and _VISIBLE_ASCII.fullmatch(token):
                self._session.scrubber.add(token)
                self._session.scrubber.add(base64.b64encode(token.encode()).decode())
                return token
        raise Fault(Reason.TOKEN_INVALID_RESPONSE, answer)


def _asks_for_get(answer: Answer) -> bool:
    """Whether the server did not understand the POST, so that the older GET is worth trying."""
    return answer.status in _NO_SUCH_METHOD or (answer.status == 400 and not _invalid_grant(answer))


def _invalid_grant(answer: Answer) -> bool:
    """The OAuth2 error for a wrong user name, password or refresh token (RFC 6749, section 5.2)."""
    document = answer.document
    return isinstance(document, dict) and document.get("error") == "invalid_grant"


def _no_token(answer: Answer, credentials: Credentials) -> Fault:
    if answer.status == 429:
        return rate_limited(answer)
    if answer.status == 407:
        return Fault(Reason.PROXY_ERROR, answer)
    if answer.status in (401, 403) or (answer.status == 400 and _invalid_grant(answer)):
        return refusal(answer, credentials)
    return Fault(Reason.TOKEN_SERVICE_ERROR, answer, params={"status": answer.status})
