"""A request that the server cannot read leaves nothing of itself in the answer or the log."""

import contextlib
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.command import LONG, Serving
from tests.peers.prepared import ready_folder

SECRET = "c4n4ryOfARequest"
HEAD = "POST /login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
API = HEAD.replace("/login/", "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets")
CHUNKED = "Transfer-Encoding: chunked\r\n"
KNOWN = f"{HEAD}Cookie: csrftoken={'a' * 32}\r\n"
"""With a cookie of anybody's making, a form is read before anything else is asked."""


def body(kind: str, text: str) -> str:
    return f"{KNOWN}Content-Type: {kind}\r\nContent-Length: {len(text)}\r\n\r\n{text}"


FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
PART = f'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n{SECRET}\r\n'
KINDS = {
    "chunked without chunks": f"{HEAD}{CHUNKED}\r\npassword={SECRET}\r\n\r\n",
    "chunked without chunks, API": f"{API}{CHUNKED}\r\npassword={SECRET}\r\n\r\n",
    "a chunk without its end": f"{HEAD}{CHUNKED}\r\n5\r\n{SECRET}\r\n0\r\n\r\n",
    "a bad extension": f"{HEAD}{CHUNKED}\r\n5;\x00{SECRET}\r\nabcde\r\n0\r\n\r\n",
    "a negative chunk": f"{HEAD}{CHUNKED}\r\n-5{SECRET}\r\nabcde\r\n0\r\n\r\n",
    "a cut chunk": f"{HEAD}{CHUNKED}\r\nffff\r\n{SECRET}",
    "a bad trailer": f"{HEAD}{CHUNKED}\r\n0\r\n{SECRET}\r\n\r\n",
    "a header without a colon": f"{HEAD}Authorization Bearer {SECRET}\r\n\r\n",
    "a bad header name": f"{HEAD}Author({SECRET}): x\r\n\r\n",
    "a bad header value": f"{HEAD}Authorization: Bearer \x00{SECRET}\r\n\r\n",
    "a folded header": f"{HEAD}Authorization: Bearer\r\n {SECRET}\r\n\r\n",
    "a space before the colon": f"{HEAD}Authorization{SECRET} : x\r\n\r\n",
    "an unknown coding": f"{HEAD}Transfer-Encoding: {SECRET}\r\n\r\n",
    "a bad length": f"{HEAD}Content-Length: {SECRET}\r\n\r\n",
    "two lengths": f"{HEAD}Content-Length: 1\r\nContent-Length: {SECRET}\r\n\r\n",
    "an expectation": f"{HEAD}Expect: {SECRET}\r\n\r\n",
    "a bad host": f"GET / HTTP/1.1\r\nHost: {SECRET}/x\r\n\r\n",
    "a host with a user": f"GET / HTTP/1.1\r\nHost: robot@{SECRET}.example\r\n\r\n",
    "a bad version": f"GET / HTTP/{SECRET}\r\n\r\n",
    "a bad method": f"G({SECRET} / HTTP/1.1\r\n\r\n",
    "no request line": f"password={SECRET}\r\n\r\n",
    "a long header": f"{HEAD}Authorization: {SECRET * 2000}\r\n\r\n",
    "a long form": f"{KNOWN}Content-Type: {FORM}\r\nContent-Length: 99999999\r\n\r\npassword={SECRET}",
    "too many fields": body(FORM, f"x={SECRET}&" * 1500),
    "another charset": body(f"{FORM}; charset=utf-16", f"password={SECRET}"),
    "parts without a boundary": body("multipart/form-data", SECRET),
    "a bad boundary": body(f"multipart/form-data; boundary={SECRET * 20}", SECRET),
    "a boundary that is no ASCII": body(f"multipart/form-data; boundary={SECRET}\xe9", SECRET),
    "too many parts": body(PARTS, PART * 1500 + "--b--\r\n"),
    "too many files": body(PARTS, PART.replace('"x"', '"x"; filename="x"') * 150 + "--b--\r\n"),
    "a cut part": body(PARTS, PART[:-10]),
    "a short body": f"{HEAD}Content-Length: 900\r\n\r\npassword={SECRET}",
}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Serving(ready_folder(tmp_path_factory.mktemp("malformed") / "data"), "serve") as console:
        yield console


@pytest.mark.parametrize(
    "chunks",
    [
        "0x0\r\n\r\n",
        "0\n\n",
        " 0\r\n\r\n",
        "0;a\nb\r\n\r\n",
        "1\r\naXX0\r\n\r\n",
        "0\r\nContent-Length: 9\r\n\r\n",
    ],
)
def test_a_body_that_nobody_reads_brings_no_second_answer(console: Serving, chunks: str) -> None:
    head = HEAD.replace("Connection: close\r\n", "")
    with socket.create_connection(("127.0.0.1", console.port), timeout=LONG) as connection:
        connection.sendall(
            f"{head}{CHUNKED}\r\n{chunks}GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        )
        with connection.makefile("rb") as stream:
            answer = stream.read()

    assert answer.startswith(b"HTTP/1.1 403 ")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("request_text", KINDS.values(), ids=KINDS)
def test_nothing_of_it_is_shown_or_logged(console: Serving, request_text: str) -> None:
    begun = len(console.said())
    with socket.create_connection(("127.0.0.1", console.port), timeout=LONG) as connection:
        connection.sendall(request_text.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while received := connection.recv(65536):
            answer += received

    assert answer.startswith(b"HTTP/1.1 4")
    assert SECRET not in answer.decode("latin-1")
    assert console.status("/healthz") == 200
    said = console.said()[begun:]
    assert SECRET not in said
    assert "Traceback" not in said


@pytest.mark.parametrize("header", ["SCRIPT_NAME: /outside", "PATH_INFO: /login/", "Script-Name: /outside"])
def test_no_header_names_the_path(console: Serving, header: str) -> None:
    """Many proxies hand such headers on, and have rules for paths."""
    asked = f"GET /outside/login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", console.port), timeout=LONG) as connection:
        connection.sendall(asked.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 404")


NAMES = ("Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups")
MORE = ("X-Auth-Request-User", "X-Webauth-User", "X-Authenticated-User", "X-User", "Impersonate-User")
LISTED = "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets"


def asked(console: Serving, path: str, *headers: str) -> str:
    """The head of the answer to a request with these header lines."""
    lines = (f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers)
    with socket.create_connection(("127.0.0.1", console.port), timeout=LONG) as connection:
        connection.sendall("".join(f"{it}\r\n" for it in (*lines, "")).encode())
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer.decode("latin-1").partition("\r\n\r\n")[0]


@pytest.mark.parametrize(
    "person", ["admin", "ADMIN", "admin, olive", "ａｄｍｉｎ", "", "a" * 5000, "system:admin"]
)
def test_no_header_logs_anybody_in(console: Serving, person: str) -> None:
    """As a proxy for sign-on sends them, in each spelling."""
    names = [spelt for it in (*NAMES, *MORE) for spelt in (it, it.lower(), it.replace("-", "_"), it)]
    headers = [f"{it}: {person}" for it in names][:90] if len(person) < 100 else [f"{NAMES[0]}: {person}"]

    assert asked(console, "/registries/", *headers).splitlines()[0].endswith("302 Found")
    assert asked(console, LISTED, *headers).splitlines()[0].endswith("401 Unauthorized")


def test_only_the_last_address_that_the_proxy_reports_counts(tmp_path: Path) -> None:
    """A client may send the header as well, several times and with an underscore in its name."""
    folder = ready_folder(tmp_path / "data")
    forged = ("X-Forwarded-For: 10.9.9.1, 10.9.9.2", "X_Forwarded_For: 10.9.9.3", "x-forwarded-for: 10.9.9.4")
    with Serving(folder, "serve", CONSOLE_BEHIND_PROXY="true") as console:
        headers = (
            *forged,
            "Forwarded: for=10.9.9.5",
            "X-Forwarded-For: 203.0.113.7",
            "X_Forwarded_For: 10.9.9.6",
        )
        asked(console, LISTED, f"Authorization: Bearer {SECRET}", *headers)
    with contextlib.closing(sqlite3.connect(folder / "console.sqlite3")) as database:
        rows = database.execute("SELECT source FROM registries_auditentry WHERE source != ''").fetchall()
    assert ("203.0.113.7",) in rows
    assert "10.9.9" not in str(rows)
