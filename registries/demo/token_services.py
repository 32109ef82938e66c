"""The token services of the demo: which requests get a token."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from registries.demo.messages import Answer, Request, json_answer, text_answer
from registries.demo.registries import Accounts
from registries.demo.tokens import LIFETIME, Access, TokenKey


@dataclass(frozen=True)
class TokenService:
    """One token service (distribution token specification; `oauth`: also its OAuth2 POST).

    `anonymous` says which requests get an anonymous token: those without a password ("asking"), or, as with Harbor,
    those with a scope, even with a wrong password ("scoped"). `anonymous_actions` are the actions of such a token.
    """

    path: str
    key: TokenKey
    accounts: Accounts
    refusal: Answer
    anonymous: Literal["asking", "scoped"] = "asking"
    anonymous_actions: tuple[str, ...] = ()
    oauth: bool = False

    def __call__(self, request: Request) -> Answer:
        if request.path != self.path:
            return Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")
        if request.method in ("GET", "HEAD"):
            return self._answer(request.query, request.basic, has_password=bool(request.authorization))
        if request.method == "POST" and self.oauth:
            return self._oauth(request.form)
        allow = "GET, HEAD, POST" if self.oauth else "GET, HEAD"
        return text_answer(405, "method not allowed", ("Allow", allow))

    def _oauth(self, form: Mapping[str, list[str]]) -> Answer:
        if _first(form, "grant_type") != "password":
            return json_answer(400, {"error": "unsupported_grant_type"})
        credentials = (_first(form, "username"), _first(form, "password"))
        return self._answer(form, credentials, has_password=True)

    def _answer(
        self,
        fields: Mapping[str, list[str]],
        credentials: tuple[str, str] | None,
        *,
        has_password: bool,
    ) -> Answer:
        if (service := _first(fields, "service")) != self.key.service:
            return text_answer(400, f"Unable to handle service: {service[:80]!a}")
        if refused := self.accounts.refusal(credentials):
            return refused
        scopes = [scope for value in fields.get("scope", []) for scope in value.split()]
        subject = credentials[0] if credentials and self.accounts.knows(credentials) else ""
        if not subject and not self._serves_anonymous(scoped=bool(scopes), has_password=has_password):
            return self.refusal
        access = []
        for wanted in filter(None, map(Access.parse, scopes)):
            actions = (
                wanted.actions if subject else tuple(a for a in wanted.actions if a in self.anonymous_actions)
            )
            access.append(Access(wanted.type, wanted.name, actions))
        return self._token(subject, access)

    def _serves_anonymous(self, *, scoped: bool, has_password: bool) -> bool:
        return scoped if self.anonymous == "scoped" else not has_password

    def _token(self, subject: str, access: list[Access]) -> Answer:
        token = self.key.issue(subject, access)
        issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = {"token": token, "expires_in": LIFETIME, "issued_at": issued}
        if self.oauth:
            body["access_token"] = token
        return json_answer(200, body, ("Cache-Control", "no-store"))


def _first(fields: Mapping[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]
