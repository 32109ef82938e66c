"""The part of the demo's Harbor that manages robot accounts, with the paths, fields and errors of Harbor 2
(api/v2.0/swagger.yaml). The accounts are in a file: the demo has them again after its next start. Thread-safe.
"""

import json
import os
import re
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from registries.demo.messages import Answer, Handler, Request, json_answer

API = "/api/v2.0/"
PROJECT = {"project_id": 1, "name": "team-a"}
MOST = 100
"""Robot accounts. One page of Harbor has as many."""
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_SECRET = ("[a-z]", "[A-Z]", "[0-9]", ".{8}")
_PERMISSIONS = [
    {
        "kind": "project",
        "namespace": PROJECT["name"],
        "access": [{"resource": "repository", "action": "pull"}],
    }
]
_REFUSALS = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    412: "PRECONDITION",
}
Robot = dict[str, Any]


class Robots:
    """`admin` may manage the accounts. `first` is the account of a new demo. Without a file nothing is kept."""

    def __init__(self, admin: tuple[str, str], first: tuple[str, str], file: Path | None = None) -> None:
        self._admin = admin
        self._file = file
        self._lock = threading.Lock()
        self._robots = _read(file) or [{"id": 1, "name": first[0], "secret": first[1]}]

    def knows(self, credentials: tuple[str, str]) -> bool:
        with self._lock:
            return any((it["name"], it["secret"]) == credentials for it in self._robots)

    def before(self, otherwise: Handler) -> Handler:
        """This API, and another handler for all other paths."""
        return lambda request: (self if request.path.startswith(API) else otherwise)(request)

    def __call__(self, request: Request) -> Answer:
        if request.basic != self._admin:
            return _refused(403 if request.basic and self.knows(request.basic) else 401)
        kind, _, which = request.path.removeprefix(API).partition("/")
        if (request.method, kind, which) == ("GET", "projects", PROJECT["name"]):
            return json_answer(200, PROJECT)
        ways: dict[tuple[str, bool], Callable[[Request, str], Answer]] = {
            ("GET", False): self._list,
            ("POST", False): self._create,
            ("PATCH", True): self._renew,
            ("DELETE", True): self._delete,
        }
        way = ways.get((request.method, bool(which)))
        if kind != "robots" or way is None:
            return _refused(404)
        with self._lock:
            return way(request, which)

    def _list(self, request: Request, _which: str) -> Answer:
        wanted = "Level=project" in request.query.get("q", [""])[0]
        first = request.query.get("page", ["1"])[0] == "1"
        found = [_shown(it) for it in self._robots if first and ("+" in it["name"]) == wanted]
        return json_answer(200, found)

    def _create(self, request: Request, _which: str) -> Answer:
        wanted = _document(request)
        short, level = wanted.get("name"), wanted.get("level")
        if not isinstance(short, str) or not _NAME.fullmatch(short) or level not in ("project", "system"):
            return _refused(400)
        name = f"robot${PROJECT['name']}+{short}" if level == "project" else f"robot${short}"
        if any(it["name"] == name for it in self._robots):
            return _refused(409)
        if len(self._robots) >= MOST:
            return _refused(412)
        number = max((it["id"] for it in self._robots), default=0) + 1
        robot = {"id": number, "name": name, "secret": f"{secrets.token_hex(14)}aA1"}
        self._robots.append(robot)
        self._keep()
        return json_answer(201, {**robot, "expires_at": -1})

    def _renew(self, request: Request, which: str) -> Answer:
        secret = _document(request).get("secret")
        if not isinstance(secret, str) or not all(re.search(it, secret) for it in _SECRET):
            return _refused(400)
        for robot in self._robots:
            if str(robot["id"]) == which:
                robot["secret"] = secret
                self._keep()
                return json_answer(200, {"secret": ""})
        return _refused(404)

    def _delete(self, _request: Request, which: str) -> Answer:
        left = [it for it in self._robots if str(it["id"]) != which]
        if len(left) == len(self._robots):
            return _refused(404)
        self._robots = left
        self._keep()
        return Answer(200)

    def _keep(self) -> None:
        if self._file is None:
            return
        new = self._file.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._robots, file)
        new.replace(self._file)


def _read(file: Path | None) -> list[Robot]:
    """[] for a file that is missing or that cannot be read."""
    try:
        found = json.loads(file.read_text()) if file else []
        return [{"id": int(it["id"]), "name": str(it["name"]), "secret": str(it["secret"])} for it in found]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _shown(robot: Robot) -> Robot:
    level = "project" if "+" in robot["name"] else "system"
    about = {"level": level, "disable": False, "editable": True, "duration": -1, "expires_at": -1}
    return {"id": robot["id"], "name": robot["name"], **about, "permissions": _PERMISSIONS}


def _document(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refused(status: int) -> Answer:
    code = _REFUSALS[status]
    return json_answer(status, {"errors": [{"code": code, "message": code.lower()}]})
