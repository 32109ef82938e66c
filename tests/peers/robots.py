"""Fake robots of message services: they check what they get as the real ones do, and answer 200 with error codes.

Formats, limits and codes are those of the services' documentation.
"""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.peers.scripted import Reply, Request, ScriptedServer

HOUR = 3600


@dataclass
class Robot:
    """A running robot. `received` has the bodies that it took, `answers` replaces its next answers."""

    service: str
    secret: str = ""
    received: list[dict[str, object]] = field(default_factory=list)
    answers: list[Reply] = field(default_factory=list)
    server: ScriptedServer = field(init=False)

    @property
    def url(self) -> str:
        path = {"dingtalk": "/robot/send?access_token=k", "wecom": "/cgi-bin/webhook/send?key=k"}
        return self.server.url(path.get(self.service, "/hook/k"))

    def texts(self) -> str:
        return json.dumps(self.received, ensure_ascii=False)

    def answer(self, request: Request) -> Reply:
        if self.answers:
            return self.answers.pop(0)
        assert request.method == "POST"
        assert (request.header("content-type") or "").startswith("application/json")
        return {
            "dingtalk": self._dingtalk,
            "feishu": self._feishu,
            "wecom": self._wecom,
            "slack": self._slack,
        }[self.service](request)

    def _take(self, request: Request, reply: Reply) -> Reply:
        self.received.append(json.loads(request.body))
        return reply

    def _dingtalk(self, request: Request) -> Reply:
        query = parse_qs(urlsplit(request.target).query)
        if query.get("access_token") != ["k"]:
            return coded(errcode=300001, errmsg="token is not exist")
        if self.secret:
            stamp = query.get("timestamp", ["0"])[0]
            expected = base64.b64encode(
                hmac.digest(self.secret.encode(), f"{stamp}\n{self.secret}".encode(), "sha256")
            ).decode()
            if query.get("sign") != [expected] or abs(time.time() * 1000 - int(stamp)) > HOUR * 1000:
                return coded(errcode=310000, errmsg="sign not match")
        if len(request.body) > 20_000:
            return coded(errcode=460101, errmsg="message too long")
        return self._take(request, coded(errcode=0, errmsg="ok"))

    def _feishu(self, request: Request) -> Reply:
        body = json.loads(request.body)
        if self.secret:
            stamp = body.get("timestamp", "0")
            expected = base64.b64encode(
                hmac.digest(f"{stamp}\n{self.secret}".encode(), b"", "sha256")
            ).decode()
            if body.get("sign") != expected or abs(time.time() - int(stamp)) > HOUR:
                return coded(
                    code=19021, msg="sign match fail or timestamp is not within one hour from current time"
                )
        if len(request.body) > 20 * 1024:
            return coded(code=9499, msg="Bad Request")
        return self._take(request, coded(code=0, msg="success", data={}))

    def _wecom(self, request: Request) -> Reply:
        if "key=k" not in request.target:
            return coded(errcode=93000, errmsg="invalid webhook url")
        content = json.loads(request.body)["text"]["content"]
        if len(content.encode()) > 2_048:
            return coded(errcode=40058, errmsg="content exceed max length")
        return self._take(request, coded(errcode=0, errmsg="ok"))

    def _slack(self, request: Request) -> Reply:
        body = json.loads(request.body)
        texts = [block["text"]["text"] for block in body["blocks"] if "text" in block]
        if any(len(text) > 3_000 for text in texts) or len(texts[0]) > 150:
            return Reply(400, body=b"invalid_blocks")
        return self._take(request, Reply(200, body=b"ok"))


def coded(**fields: object) -> Reply:
    """HTTP 200 with a document, as these services answer errors, too."""
    return Reply(200, [("Content-Type", "application/json")], json.dumps(fields).encode())


@contextmanager
def robot(service: str, secret: str = "") -> Iterator[Robot]:
    running = Robot(service, secret)
    running.server = ScriptedServer(running.answer)
    try:
        yield running
    finally:
        running.server.stop()
