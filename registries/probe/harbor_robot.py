"""A robot account of Harbor as JSON: how Harbor lists it, what creates another one like it, and the answer to that
(api/v2.0/swagger.yaml of Harbor)."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .answer import Answer
from .credentials import CredentialsError, check_credentials
from .reason import Reason


class HarborProblem(StrEnum):
    """Why there is no new secret. Nothing was changed at Harbor, except after `uncertain` and `left_over`."""

    WRONG_ACCOUNT = "wrong_account"
    NO_RIGHT = "no_right"
    NO_ROBOT = "no_robot"
    NO_API = "no_api"
    DISABLED = "disabled"
    EXPIRED = "expired"
    REFUSED = "refused"
    UNEXPECTED = "unexpected"
    NO_PERMISSIONS = "no_permissions"
    PERMISSIONS_REFUSED = "permissions_refused"
    UNCERTAIN = "uncertain"
    """No usable answer came: Harbor may have created the second account."""
    LEFT_OVER = "left_over"
    """The second account was created in vain, and could not be deleted."""


CHANGED = (HarborProblem.UNCERTAIN, HarborProblem.LEFT_OVER)


class HarborError(Exception):
    """`problem` is a HarborProblem or the Reason of a failed connection. `robot` is the name of a second account."""

    def __init__(self, problem: HarborProblem | Reason, robot: str = "") -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.robot = robot


@dataclass(frozen=True, slots=True)
class NewRobot:
    """A robot account that was created a moment ago. `name` is the full name, with which nodes log in."""

    number: int
    name: str
    secret: str = field(repr=False)


def short_name(full_name: str) -> str:
    """The name that a person chose: without the prefix of Harbor and the project."""
    return full_name.partition("$")[2].rpartition("+")[2]


def wanted_robot(robot: dict[str, Any], full_name: str) -> dict[str, Any]:
    """What creates an account like this one, without a name. HarborError: those of Harbor 1 do not tell their
    permissions."""
    level, duration = robot.get("level"), robot.get("duration")
    permissions = [_permission(it) for it in _list(robot.get("permissions"))]
    if robot.get("editable") is False or not permissions or not all(it["access"] for it in permissions):
        raise HarborError(HarborProblem.NO_PERMISSIONS)
    if level not in ("project", "system") or not isinstance(duration, int):
        raise HarborError(HarborProblem.UNEXPECTED)
    return {
        "level": level,
        "duration": duration,
        "disable": False,
        "description": f"registry console: in place of {full_name}",
        "permissions": permissions,
    }


def _permission(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise HarborError(HarborProblem.UNEXPECTED)
    access = [_texts(it, "resource", "action", "effect") for it in _list(given.get("access"))]
    return {**_texts(given, "kind", "namespace"), "access": access}


def _texts(given: Any, *names: str) -> dict[str, str]:
    values = given if isinstance(given, dict) else {}
    return {name: text for name in names if isinstance(text := values.get(name), str)}


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def made_robot(answer: Answer, expected: str) -> NewRobot | None:
    """The account in an answer; None unless it is the expected one, with a secret that can be stored."""
    given = answer.document if isinstance(answer.document, dict) else {}
    number, secret = given.get("id"), given.get("secret")
    if not isinstance(number, int) or given.get("name") != expected or not isinstance(secret, str):
        return None
    try:
        check_credentials(expected, secret)
    except CredentialsError:
        return None
    return NewRobot(number, expected, secret)


def active_robot(robot: dict[str, Any]) -> dict[str, Any]:
    """The account, with its number as `id`. HarborError for one that nobody can log in with."""
    number, ends = robot.get("id"), robot.get("expires_at")
    if not isinstance(number, int):
        raise HarborError(HarborProblem.UNEXPECTED)
    if robot.get("disable") is True:
        raise HarborError(HarborProblem.DISABLED)
    if isinstance(ends, int) and 0 < ends < time.time():
        raise HarborError(HarborProblem.EXPIRED)
    return robot
