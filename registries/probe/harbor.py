"""A new secret for a robot account of Harbor, by the rules of the connection test (api/v2.0/swagger.yaml of Harbor).

A person's Harbor account is used for these requests only. Nothing that Harbor says is shown: every answer becomes a
HarborProblem or a Reason. There are no redirects.
"""

import base64
import json
import secrets
import string
import time
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from registries.addresses.address import AddressError, parse_address

from .address_guard import first_refused
from .answer import Answer
from .endpoint import parse_endpoint
from .fault import Fault
from .policy import Policy
from .reason import Reason
from .trace import Trace
from .transport import TOKEN_BODY, Transport

PAGE, PAGES = 100, 4
"""Robot accounts of one request (the most that Harbor gives), and the requests for them."""
SECRET_LENGTH = 32
_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits)


class HarborProblem(StrEnum):
    """Why there is no new secret. Nothing was changed at Harbor."""

    WRONG_ACCOUNT = "wrong_account"
    NO_RIGHT = "no_right"
    NO_ROBOT = "no_robot"
    NO_API = "no_api"
    DISABLED = "disabled"
    EXPIRED = "expired"
    REFUSED = "refused"
    UNEXPECTED = "unexpected"


class HarborError(Exception):
    """`problem` is a HarborProblem or the Reason of a failed connection."""

    def __init__(self, problem: HarborProblem | Reason) -> None:
        super().__init__(problem.value)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class HarborAccount:
    """A person's account, used once."""

    username: str
    password: str = field(repr=False)

    @property
    def authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


def new_secret() -> str:
    """A secret as Harbor wants it: at least 8 characters, among them a lower and an upper letter and a digit."""
    while True:
        secret = "".join(secrets.choice("".join(_KINDS)) for _ in range(SECRET_LENGTH))
        if all(set(secret) & set(kind) for kind in _KINDS):
            return secret


class HarborRobots:
    """The robot accounts of one Harbor: a context manager, used by one thread for at most `policy.total_timeout`."""

    def __init__(self, address: str, account: HarborAccount, policy: Policy) -> None:
        try:
            parsed = parse_address(address)
        except AddressError:
            raise HarborError(Reason.INVALID_DOMAIN) from None
        if parsed.plain_http and not policy.allow_plain_http:
            raise HarborError(Reason.PLAIN_HTTP_FORBIDDEN)
        self._url = f"{parsed.registry_url}/api/v2.0"
        self._account = account
        self._policy = policy
        self._transport = Transport(policy, Trace(), parsed.canonical)

    def __enter__(self) -> Self:
        self._transport.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.__exit__(kind, error, trace)

    def find(self, full_name: str) -> int:
        """The number of an active robot account by its full name, such as `robot$project+name`. HarborError."""
        project, plus, _name = full_name.partition("$")[2].partition("+")
        query = f"Level=project,ProjectID={self._project(project)}" if plus else "Level=system"
        for page in range(1, PAGES + 1):
            robots = self._get(f"/robots?q={quote(query, safe='')}&page={page}&page_size={PAGE}")
            if not isinstance(robots, list):
                raise HarborError(HarborProblem.UNEXPECTED)
            for it in robots:
                if isinstance(it, dict) and it.get("name") == full_name:
                    return _active(it)
            if len(robots) < PAGE:
                break
        raise HarborError(HarborProblem.NO_ROBOT)

    def set_secret(self, robot: int, secret: str) -> bool:
        """Gives a robot account another secret; the old one ends at once. HarborError when it certainly stays.

        False when no answer came: the secret may be either one.
        """
        body = json.dumps({"secret": secret}).encode()
        try:
            answer = self._send("PATCH", f"/robots/{robot}", body)
        except HarborError:
            return False
        if answer.status >= 500:
            return False
        _require_success(answer)
        return True

    def _project(self, name: str) -> int:
        found = self._get(f"/projects/{quote(name, safe='')}", {"X-Is-Resource-Name": "true"})
        number = found.get("project_id") if isinstance(found, dict) else None
        if not isinstance(number, int):
            raise HarborError(HarborProblem.UNEXPECTED)
        return number

    def _get(self, path: str, headers: dict[str, str] | None = None) -> Any:
        answer = self._send("GET", path, None, headers)
        if answer.status == 404 and not answer.has_error_codes:
            raise HarborError(HarborProblem.NO_API)
        _require_success(answer)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise HarborError(HarborProblem.NO_API) from None

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str] | None = None
    ) -> Answer:
        endpoint = parse_endpoint(self._url + path)
        typed = {"Content-Type": "application/json"} if body else {}
        try:
            if first_refused(self._transport.resolve(endpoint.host, endpoint.port), self._policy):
                raise HarborError(Reason.BLOCKED_ADDRESS)
            return self._transport.send(
                method,
                endpoint,
                authorization=self._account.authorization,
                form=body,
                headers={"Accept": "application/json", **typed, **(headers or {})},
                limit=TOKEN_BODY,
            )
        except Fault as fault:
            raise HarborError(fault.reason) from None


def _active(robot: dict[str, Any]) -> int:
    number, ends = robot.get("id"), robot.get("expires_at")
    if not isinstance(number, int):
        raise HarborError(HarborProblem.UNEXPECTED)
    if robot.get("disable") is True:
        raise HarborError(HarborProblem.DISABLED)
    if isinstance(ends, int) and 0 < ends < time.time():
        raise HarborError(HarborProblem.EXPIRED)
    return number


def _require_success(answer: Answer) -> None:
    problems = {
        401: HarborProblem.WRONG_ACCOUNT,
        403: HarborProblem.NO_RIGHT,
        404: HarborProblem.NO_ROBOT,
        400: HarborProblem.REFUSED,
    }
    if answer.status != 200:
        raise HarborError(problems.get(answer.status, HarborProblem.UNEXPECTED))
