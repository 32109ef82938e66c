"""A scripted Harbor: its registry, and the part of its API for robot accounts.

Paths, fields, rights and errors are those of Harbor (api/v2.0/swagger.yaml, src/server/v2.0/handler/robot.go): one
project, its robot accounts, and Basic authentication. A PATCH with a typed secret answers with an empty one; a POST
ignores a typed secret, and answers with one of Harbor's. `/robots` is there since Harbor 2.2, and 2.8 refuses the
permissions for charts in a new account, although an older account may have them.
"""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.peers.scripted import Reply, Request, ScriptedServer, scripted

NAME = "robot$team-a+deploy"
OLD = "Old-Secret-1"
ADMIN, GUEST, STRANGER = ("admin", "Harbor-Canary-77"), ("guest", "Harbor-Guest-77"), ("admin", "wrong-77")
_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    500: "UNKNOWN",
}
PULL = [{"resource": "repository", "action": "pull"}, {"resource": "repository", "action": "push"}]
CHARTS = {"resource": "helm-chart", "action": "read"}
LASTS = 30
"""Days of a robot account."""


@dataclass
class Harbor:
    """`instead` answers requests of the API by method, in place of the script. `changes` has every new secret."""

    robots: list[dict[str, Any]] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=lambda: {NAME: OLD})
    changes: list[str] = field(default_factory=list)
    instead: dict[str, Reply] = field(default_factory=dict)
    applies: bool = True
    """Whether a PATCH changes the secret, whatever `instead` answers."""
    version: tuple[int, int] = (2, 11)
    server: ScriptedServer = field(init=False)

    def add(self, name: str = NAME, **values: Any) -> dict[str, Any]:
        """A robot account, as Harbor lists it."""
        project = name.partition("$")[2].rpartition("+")[0]
        scope = {"kind": "project", "namespace": project or "*", "access": PULL}
        robot = {
            "id": max((it["id"] for it in self.robots), default=40) + 1,
            "name": name,
            "level": "project" if project else "system",
            "disable": False,
            "editable": True,
            "duration": LASTS,
            "expires_at": -1,
            "permissions": [scope],
            **values,
        }
        self.robots.append(robot)
        return robot

    def __call__(self, request: Request) -> Reply:
        login = _login(request)
        if not request.path.startswith("/api/"):
            return self._registry(login)
        ways = {"PATCH": self._patch, "POST": self._create, "DELETE": self._delete}
        if way := ways.get(request.method):
            reply = way(request, login)
            return self.instead.get(request.method, reply)
        return self.instead.get(request.method) or self._read(request, login)

    def _registry(self, login: tuple[str, str] | None) -> Reply:
        if login and self.secrets.get(login[0]) == login[1]:
            return Reply(headers=[("Docker-Distribution-Api-Version", "registry/2.0")], body=b"{}")
        return _error(401, ("WWW-Authenticate", 'Basic realm="harbor"'))

    def _read(self, request: Request, login: tuple[str, str] | None) -> Reply:
        if login not in (ADMIN, GUEST):
            return _error(401)
        if request.path == "/api/v2.0/projects/team-a" and request.header("x-is-resource-name") == "true":
            return _json({"project_id": 3, "name": "team-a"})
        if request.path != "/api/v2.0/robots" or self.version < (2, 2):
            return _error(404)
        query = parse_qs(urlsplit(request.target).query)
        size, page = int(query["page_size"][0]), int(query["page"][0])
        assert size <= 100
        wanted = unquote(query["q"][0])
        assert wanted in ("Level=project,ProjectID=3", "Level=system"), wanted
        if login != ADMIN:
            return _error(403)
        found = [it for it in self.robots if ("+" in it["name"]) == ("project" in wanted)]
        return _json(found[(page - 1) * size : page * size])

    def _patch(self, request: Request, login: tuple[str, str] | None) -> Reply:
        if login != ADMIN:
            return _error(403 if login == GUEST else 401)
        assert request.header("content-type") == "application/json"
        number = int(request.path.rpartition("/")[2])
        secret = json.loads(request.body)["secret"]
        if len(secret) < 8 or not all(re.search(kind, secret) for kind in ("[a-z]", "[A-Z]", "[0-9]")):
            return _error(400)
        [robot] = [it for it in self.robots if it["id"] == number]
        if self.applies:
            self.secrets[robot["name"]] = secret
        self.changes.append(secret)
        return _json({"secret": ""})

    def _create(self, request: Request, login: tuple[str, str] | None) -> Reply:
        """As CreateRobot: the name and the permissions are checked before the rights."""
        if login not in (ADMIN, GUEST):
            return _error(401)
        wanted = json.loads(request.body)
        level, scopes = wanted["level"], wanted["permissions"]
        if not re.fullmatch(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", wanted["name"]) or wanted["duration"] < -1:
            return _error(400)
        if level not in ("project", "system") or not scopes or not all(it["access"] for it in scopes):
            return _error(400)
        if level == "project" and len(scopes) > 1:
            return _error(400)
        if self.version >= (2, 8) and any(CHARTS in it["access"] for it in scopes):
            return _error(400)
        if login != ADMIN:
            return _error(403)
        project = scopes[0]["namespace"] + "+" if level == "project" else ""
        name, secret = f"robot${project}{wanted['name']}", f"Harbor-Made-{len(self.changes)}a"
        if any(it["name"] == name for it in self.robots):
            return _error(409)
        if self.applies:
            kept = {it: wanted[it] for it in ("level", "duration", "permissions", "description")}
            robot = self.add(name, **kept)
            self.secrets[name] = secret
            self.changes.append(secret)
            return _json({"id": robot["id"], "name": name, "secret": secret, "expires_at": -1}, 201)
        return _error(500)

    def _delete(self, request: Request, login: tuple[str, str] | None) -> Reply:
        if login != ADMIN:
            return _error(403 if login == GUEST else 401)
        number = int(request.path.rpartition("/")[2])
        gone = [it for it in self.robots if it["id"] == number]
        self.robots = [it for it in self.robots if it["id"] != number]
        for it in gone:
            self.secrets.pop(it["name"], None)
        return Reply() if gone else _error(404)


@contextmanager
def harbor(**options: Any) -> Iterator[Harbor]:
    """A running Harbor with some robot accounts; `options` are those of ScriptedServer."""
    peer = Harbor()
    for number in range(120):
        peer.add(f"robot$team-a+other-{number}")
    peer.add()
    with scripted(peer, **options) as peer.server:
        yield peer


def _login(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = (request.authorization or "").partition(" ")
    if scheme != "Basic":
        return None
    username, _, password = base64.b64decode(encoded).decode().partition(":")
    return username, password


def _json(values: object, status: int = 200) -> Reply:
    return Reply(status, headers=[("Content-Type", "application/json")], body=json.dumps(values).encode())


def _error(status: int, *headers: tuple[str, str]) -> Reply:
    body = json.dumps({"errors": [{"code": _CODES[status], "message": "scripted"}]}).encode()
    return Reply(status, [("Content-Type", "application/json"), *headers], body)
