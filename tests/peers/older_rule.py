"""A front of a real API server with the definition that earlier versions of the console installed: it refuses every
change of `spec`. The API server of these tests is too old for such a rule (CEL, Kubernetes 1.25), so this front answers
in its place, with the words of a newer one. It passes everything else on, and counts the writes."""

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.peers.api_server import ApiServer
from tests.peers.certificates import Authority
from tests.peers.scripted import Reply, Request, ScriptedServer, json_reply

REGISTRIES = re.compile(r"/namespaces/[^/]+/(registrysecrets|secrets)")
_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive", "accept-encoding")


class OlderRule:
    """`writes` has method and resource of each write of registries and Secrets that was passed on, and `asked` method
    and path of every call for one of them. `asking` is called with these before each call. `written` is called after
    each write, and `passed` with method and path, before the client gets its answer. A call for which `failing` is true
    gets a 503."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self._server = server
        self._context = ssl.create_default_context(cafile=str(server.ca_file))
        authority = Authority(folder, "older rule")
        self.ca_file = authority.root.certificate_file
        self.writes: list[tuple[str, str]] = []
        self.asked: list[tuple[str, str]] = []
        self.refuses = True
        """Whether no change of `spec` is let through."""
        self._watches: list[http.client.HTTPSConnection] = []
        self.written: Callable[[], object] = lambda: None
        self.asking: Callable[[str, str], object] = lambda method, path: None
        self.failing: Callable[[str, str], bool] = lambda method, path: False
        self.passed: Callable[[str, str], object] = lambda method, path: None
        self._front = ScriptedServer(self._answer, tls=authority.server_context(authority.issue("127.0.0.1")))
        self.port = self._front.port

    def stop(self) -> None:
        for link in self._watches:
            with suppress(OSError, AttributeError):
                link.sock.shutdown(socket.SHUT_RDWR)
        self._front.stop()

    def _answer(self, request: Request) -> Reply:
        place = REGISTRIES.search(request.path)
        if place:
            self.asked.append((request.method, request.path))
            self.asking(request.method, request.path)
            if self.failing(request.method, request.path):
                return Reply(503)
        if (
            self.refuses
            and place
            and place[1] == "registrysecrets"
            and request.method == "PATCH"
            and b'"spec"' in request.body
        ):
            return _refused()
        reply = self._pass(request)
        if place and request.method != "GET" and "dryRun" not in request.target + request.body.decode():
            self.writes.append((request.method, place[1]))
            self.written()
            self.passed(request.method, request.path)
        return reply

    def _pass(self, request: Request) -> Reply:
        link = http.client.HTTPSConnection("127.0.0.1", self._server.port, context=self._context)
        headers = {name: value for name, value in request.headers if name not in _HOP}
        link.request(request.method, request.target, body=request.body or None, headers=headers)
        answer = link.getresponse()
        given = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
        if "watch=" in request.target:
            self._watches.append(link)
            return Reply(
                answer.status,
                [*given, ("Transfer-Encoding", "chunked")],
                pieces=_chunks(link, answer),
                close=True,
            )
        with_body = Reply(answer.status, given, answer.read())
        link.close()
        return with_body


def _chunks(link: http.client.HTTPSConnection, answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """Without chunks, a client would wait for more after each event."""
    with suppress(OSError, http.client.HTTPException):  # either side may have ended it
        while piece := answer.read1(65536):
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
    link.close()


def _refused() -> Reply:
    """As a server of 1.25 or later answers under the rule `self == oldSelf`."""
    cause = {"reason": "FieldValueInvalid", "message": 'Invalid value: "object": no', "field": "spec"}
    document = {"kind": "Status", "reason": "Invalid", "code": 422, "details": {"causes": [cause]}}
    return json_reply(document, 422)


@contextmanager
def older_rule(server: ApiServer, folder: Path) -> Iterator[OlderRule]:
    front = OlderRule(server, folder)
    try:
        yield front
    finally:
        front.stop()


@contextmanager
def kubelet(server: ApiServer, namespace: str, name: str) -> Iterator[list[str]]:
    """Asks for a Secret all the time, while garbage is collected. Gives the uid of each answer, "" where there was
    none."""
    seen: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            answer = server.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
            seen.append(answer.body["metadata"]["uid"] if answer.status == 200 else "")

    def collect() -> None:
        while not over.is_set():
            collect_garbage(server, namespace)

    threads = [threading.Thread(target=it) for it in (look, collect)]
    for it in threads:
        it.start()
    try:
        yield seen
    finally:
        over.set()
        for it in threads:
            it.join()


def collect_garbage(server: ApiServer, namespace: str) -> None:
    """What the garbage collector of a cluster does, which does not run here: deletes Secrets whose owner is gone."""
    registries = f"/apis/image.theriseunion.io/v1alpha1/namespaces/{namespace}/registrysecrets"
    secrets = server.call("GET", f"/api/v1/namespaces/{namespace}/secrets").body["items"]
    present = {it["metadata"]["uid"] for it in server.call("GET", registries).body["items"]}
    for secret in secrets:
        owners = [it["uid"] for it in secret["metadata"].get("ownerReferences") or ()]
        if owners and not present.intersection(owners):
            body = {"preconditions": {"uid": secret["metadata"]["uid"]}}
            path = f"/api/v1/namespaces/{namespace}/secrets/{secret['metadata']['name']}"
            now = server.call("GET", path).body
            if now.get("metadata", {}).get("ownerReferences") == secret["metadata"]["ownerReferences"]:
                server.call("DELETE", path, body)
