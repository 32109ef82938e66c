"""Tokens: how they are asked for (the distribution token and OAuth2 specifications) and what counts as one.
Imports realm.py, statuses.py and session.py."""

import base64
import re

from .answer import Answer
from .credentials import Credentials
from .fault import Fault
from .realm import Realm, unreachable
from .reason import Reason
from .session import ProbeSession
from .statuses import rate_limited, refusal
from .transport import TOKEN_BODY

CLIENT_ID = "registry-console"
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
# The GET is not implemented here: the OAuth2 POST may be.
_NO_SUCH_METHOD = frozenset({404, 405, 501})
# Faults of an exchange that are no word of the network's but of a server that does not speak our language.
_GARBLED = frozenset({Reason.NOT_A_REGISTRY, Reason.UNEXPECTED_RESPONSE})


class TokenService:
    """One realm during one test. `uses_get` tells, after an exchange, which way it was done."""

    def __init__(self, session: ProbeSession, realm: Realm) -> None:
        self._session = session
        self._realm = realm
        self.uses_get = True

    @property
    def host(self) -> str:
        return self._realm.endpoint.netloc

    @property
    def key(self) -> tuple[str, str, str]:
        """What a RealmMemory knows it by."""
        scheme, host, port = self._session.base.origin
        return (f"{scheme}://{host}:{port}", self._realm.endpoint.url, self._realm.service or "")

    def exchange(self, credentials: Credentials, scope: str | None = None) -> str:
        """A token for these credentials, or the Fault: BAD_CREDENTIALS and its kin when refused. Without
        a scope unless one is given: with any scope Harbor answers a wrong password with 200 and an
        anonymous token. Never with offline_token, which would leave a refresh token behind."""
        if credentials.is_identity_token:
            form = {"grant_type": "refresh_token", "refresh_token": credentials.password}
            answer = self._post(form, scope)
            if not _asks_for_get(answer):
                self.uses_get = False
                return self._token(answer)
        answer = self._get(credentials, scope)
        self.uses_get = answer.status not in _NO_SUCH_METHOD
        if not self.uses_get:
            form = {"username": credentials.username, "password": credentials.password}
            answer = self._post({"grant_type": "password", **form}, scope)
        return self._token(answer)

    def anonymous(self) -> str:
        """A token for nobody, or the Fault."""
        return self._token(self._get(None, None))

    def _get(self, credentials: Credentials | None, scope: str | None) -> Answer:
        query = self._parameters(scope)
        authorization = None
        if credentials:
            authorization = credentials.basic
            # A password must not stand in a URL; and the account is in the Authorization already.
            if credentials.password.casefold() not in credentials.username.casefold():
                query["account"] = credentials.username
        return self._send("GET", query, authorization, None)

    def _post(self, grant: dict[str, str], scope: str | None) -> Answer:
        return self._send("POST", {}, None, {**grant, **self._parameters(scope)})

    def _parameters(self, scope: str | None) -> dict[str, str]:
        named = {"service": self._realm.service, "client_id": CLIENT_ID, "scope": scope}
        return {name: value for name, value in named.items() if value}

    def _send(
        self, method: str, query: dict[str, str], authorization: str | None, form: dict[str, str] | None
    ) -> Answer:
        endpoint = self._realm.endpoint.with_query(query) if query else self._realm.endpoint
        try:
            return self._session.transport.send(
                method, endpoint, authorization=authorization, form=form, limit=TOKEN_BODY
            )
        except Fault as fault:
            if fault.cause == "request_budget":
                raise
            if fault.reason in _GARBLED:
                raise Fault(Reason.TOKEN_INVALID_RESPONSE, fault.said) from None
            raise unreachable(self._realm.endpoint, fault) from None

    def _token(self, answer: Answer) -> str:
        """The token in an answer; from now on the scrubber knows it."""
        if answer.status != 200:
            raise _no_token(answer)
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
    """Whether a POST was not understood, so that the older GET is worth a try."""
    return answer.status in _NO_SUCH_METHOD or (answer.status == 400 and not _invalid_grant(answer))


def _invalid_grant(answer: Answer) -> bool:
    """RFC 6749, section 5.2: how OAuth2 says that user name, password or refresh token are wrong."""
    document = answer.document
    return isinstance(document, dict) and document.get("error") == "invalid_grant"


def _no_token(answer: Answer) -> Fault:
    if answer.status == 429:
        return rate_limited(answer)
    if answer.status == 407:
        return Fault(Reason.PROXY_ERROR, answer)
    if answer.status in (401, 403) or (answer.status == 400 and _invalid_grant(answer)):
        return refusal(answer)
    return Fault(Reason.TOKEN_SERVICE_ERROR, answer, params={"status": answer.status})
