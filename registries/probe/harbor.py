"""A new secret for a robot account of Harbor, or a second account, by the rules of the connection test
(api/v2.0/swagger.yaml of Harbor; `/robots` is there since 2.2).

A person's Harbor account is used for these requests only. Nothing that Harbor says is shown: every answer becomes a
HarborProblem or a Reason. There are no redirects.
"""

import base64
import json
import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from registries.addresses import AddressError, parse_address

from .address_guard import first_refused
from .answer import Answer
from .endpoint import parse_endpoint
from .fault import Fault
from .harbor_robot import (
    HarborError,
    HarborProblem,
    NewRobot,
    active_robot,
    made_robot,
    short_name,
    wanted_robot,
)
from .policy import Policy
from .reason import Reason
from .trace import Trace
from .transport import TOKEN_BODY, Transport

PAGE, PAGES = 100, 4
"""Robot accounts of one request (the most that Harbor gives), and the requests for them."""
SECRET_LENGTH = 32
NAME_MAX = 255
"""Characters of the full name of a robot account in Harbor. A longer one would be no user name of a registry."""
NAMES = 5
"""Names that are tried for a second account: others may be taken."""
_DATED = re.compile(r"-20[0-9]{6}(-[0-9])?\Z")
"""What the console adds to the name of a second account."""
_NOT_SENT = (
    Reason.DNS_FAILED,
    Reason.BLOCKED_ADDRESS,
    Reason.CONNECTION_REFUSED,
    Reason.NETWORK_UNREACHABLE,
)
_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits)


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
        return int(self._robot(full_name)["id"])

    def second(self, full_name: str, today: date, asking: Callable[[str], object]) -> NewRobot:
        """Creates another account with the permissions and the lifetime of an active one. HarborError.

        `asking` is called with its name before Harbor is asked for it, once for each name that is tried.
        """
        like = wanted_robot(self._robot(full_name), full_name)
        short = short_name(full_name)
        self._transport.allow(NAMES + 1)  # and a deletion
        base = _DATED.sub("", short)
        for number in range(1, NAMES + 1):
            name = f"{base}-{today:%Y%m%d}" + (f"-{number}" if number > 1 else "")
            expected = full_name.removesuffix(short) + name
            if len(expected) > NAME_MAX:
                raise HarborError(HarborProblem.REFUSED)
            asking(expected)
            if made := self._create({**like, "name": name}, expected):
                return made
        raise HarborError(HarborProblem.REFUSED)

    def discard(self, robot: int) -> bool:
        """Deletes an account that is not used yet. Returns whether it is certainly gone."""
        try:
            answer = self._send("DELETE", f"/robots/{robot}", None)
        except HarborError:
            return False
        return answer.status in (200, 404)

    def _create(self, wanted: dict[str, Any], expected: str) -> NewRobot | None:
        """The new account; None where the name is taken."""
        try:
            answer = self._send("POST", "/robots", json.dumps(wanted).encode())
        except HarborError as error:
            if error.problem in _NOT_SENT:
                raise
            raise HarborError(HarborProblem.UNCERTAIN, expected) from None
        if answer.status == 409:
            return None
        if answer.status >= 500:
            raise HarborError(HarborProblem.UNCERTAIN, expected)
        if answer.status == 400:
            raise HarborError(HarborProblem.PERMISSIONS_REFUSED)
        if not 200 <= answer.status < 300:
            _require_success(answer)
        made = made_robot(answer, expected)
        if made is None:
            raise HarborError(HarborProblem.UNCERTAIN, expected)
        return made

    def _robot(self, full_name: str) -> dict[str, Any]:
        """An active robot account, as Harbor lists it, with its number as `id`. HarborError."""
        project, plus, _name = full_name.partition("$")[2].partition("+")
        query = f"Level=project,ProjectID={self._project(project)}" if plus else "Level=system"
        for page in range(1, PAGES + 1):
            place = f"/robots?q={quote(query, safe='')}&page={page}&page_size={PAGE}"
            robots = self._get(place, missing=HarborProblem.NO_API)
            if not isinstance(robots, list):
                raise HarborError(HarborProblem.UNEXPECTED)
            for it in robots:
                if isinstance(it, dict) and it.get("name") == full_name:
                    return active_robot(it)
            if len(robots) < PAGE:
                break
        raise HarborError(HarborProblem.NO_ROBOT)

    def set_secret(self, robot: int, secret: str) -> bool:
        """Gives a robot account another secret; the old one ends at once. HarborError when it certainly stays.

        False when no answer came, or one that Harbor does not give: the secret may be either one.
        """
        body = json.dumps({"secret": secret}).encode()
        try:
            answer = self._send("PATCH", f"/robots/{robot}", body)
        except HarborError:
            return False
        if answer.status >= 500 or 200 < answer.status < 300:
            return False
        _require_success(answer)
        return True

    def _project(self, name: str) -> int:
        found = self._get(f"/projects/{quote(name, safe='')}", {"X-Is-Resource-Name": "true"})
        number = found.get("project_id") if isinstance(found, dict) else None
        if not isinstance(number, int):
            raise HarborError(HarborProblem.UNEXPECTED)
        return number

    def _get(
        self,
        path: str,
        headers: dict[str, str] | None = None,
        missing: HarborProblem = HarborProblem.NO_ROBOT,
    ) -> Any:
        answer = self._send("GET", path, None, headers)
        if answer.status == 404:
            raise HarborError(missing if answer.error_codes else HarborProblem.NO_API)
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


def _require_success(answer: Answer) -> None:
    problems = {
        401: HarborProblem.WRONG_ACCOUNT,
        403: HarborProblem.NO_RIGHT,
        404: HarborProblem.NO_ROBOT,
        400: HarborProblem.REFUSED,
    }
    if answer.status != 200:
        raise HarborError(problems.get(answer.status, HarborProblem.UNEXPECTED))
