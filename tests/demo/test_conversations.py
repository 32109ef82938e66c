"""HTTP and TLS of the demo's registries: correct, or wrong in the way of each behaviour."""

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
from contextlib import closing

import pytest

from registries.demo.catalogue import CLOSED
from tests.peers.demo_client import PATIENCE, Client, accepts, ask, basic, child
from tests.peers.scripted import wait_for


@pytest.mark.parametrize(
    ("host", "code"), [("self-signed.localhost", 18), ("expired.localhost", 10), ("renamed.localhost", 62)]
)
def test_bad_certificates_fail_for_their_own_reason_and_hide_a_good_registry(demo, host, code):
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        Client(demo, host)
    assert refused.value.verify_code == code
    with closing(Client(demo, host, verify=False).connection) as connection:
        connection.request("GET", "/v2/", headers={"Authorization": basic("admin", "Harbor12345")})
        assert connection.getresponse().status == 200


def test_broken_conversations(demo):
    with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
        Client(demo, "mutual.localhost")
    with closing(Client(demo, "resetting.localhost").connection) as connection:
        connection.request("GET", "/v2/")
        # Python's ssl reports a reset as an end of file. The socket below it reports the reset.
        underneath = socket.socket(fileno=os.dup(connection.sock.fileno()))
        underneath.settimeout(PATIENCE)
        with closing(underneath), pytest.raises(ConnectionResetError):
            list(iter(lambda: underneath.recv(65536), b""))
    with pytest.raises(TimeoutError):
        Client(demo, "hanging.localhost", timeout=0.3).ask()
    for host in CLOSED:
        assert not accepts(demo.ports[host])
    address = ("127.0.0.1", demo.ports["plain.localhost"])
    with closing(socket.create_connection(address)) as raw, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(raw, server_hostname="plain.localhost")
    plain = http.client.HTTPConnection("127.0.0.1", demo.ports["harbor.localhost"], timeout=PATIENCE)
    plain.request("GET", "/v2/", headers={"Authorization": "Basic eDp5"})
    answer = plain.getresponse()
    assert (answer.status, b"HTTP request to an HTTPS server" in answer.read()) == (400, True)


def test_one_connection_serves_many_requests_and_head_has_no_body(demo):
    methods = [("GET", "/v2/"), ("HEAD", "/v2/"), ("GET", "/v2"), ("PUT", "/v2/"), ("GET", "/")]
    with closing(socket.create_connection(("127.0.0.1", demo.ports["open.localhost"]), PATIENCE)) as raw:
        for number, (method, path) in enumerate(methods, 1):
            last = "Connection: close\r\n" if number == len(methods) else ""
            raw.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n{last}\r\nx".encode())
        heads, said = [], b"".join(iter(lambda: raw.recv(65536), b""))
    for method, _ in methods:
        head, _, said = said.partition(b"\r\n\r\n")
        heads.append(head[:12])
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert length or method == "GET"
        said = said[length if method != "HEAD" else 0 :]
    assert said == b""
    assert [int(head[9:]) for head in heads] == [200, 200, 301, 405, 404]


def test_a_body_that_waits_to_be_called_is_called(demo):
    with closing(socket.create_connection(("127.0.0.1", demo.ports["basic.localhost"]), PATIENCE)) as raw:
        raw.sendall(b"POST /v2/ HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        assert raw.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b"x")
        assert raw.recv(65536).startswith(b"HTTP/1.1 401 ")


FORM_TYPE = b"Content-Type: application/x-www-form-urlencoded"


MALFORMED = {
    b"\x00\x01\x02\r\n\r\n": 400,
    b"GET\r\n\r\n": 400,
    b"GET /v2/ HTTP/9.9\r\n\r\n": 505,
    b"GET http://[/v2/ HTTP/1.1\r\n\r\n": 400,
    b"GET /v2/?" + b"a&b=1&" * 500 + b" HTTP/1.1\r\n\r\n": 400,
    # Exactly as much as is read of a line: a server that closes with unread bytes sends a reset.
    b"GET /".ljust(65537, b"a"): 414,
    b"GET /v2/ HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n": 431,
    b"GET /v2/ HTTP/1.1\r\nHost: [::\r\n\r\n": 400,
    b"GET /v2/ HTTP/1.1\r\nAuthorization: Basic \xff\xfe\r\n\r\n": 401,
    b"GET /v2/ HTTP/1.1\r\nAuthorization: Basic //79\r\n\r\n": 401,
    b"POST /v2/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n": 411,
    b"POST /v2/ HTTP/1.1\r\nContent-Length: 65537\r\n\r\n": 413,
    b"POST /v2/ HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n": 413,
    b"POST /v2/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n": 411,
    b"POST /v2/ HTTP/1.1\r\nContent-Length: 1\r\n" + FORM_TYPE + b"\r\n\r\n\xff": 400,
    b"\x16\x03\x01\x02\x00garbage": 400,
}


def test_a_flood_of_connections_passes(demo):
    address = ("127.0.0.1", demo.ports["basic.localhost"])
    flood = [socket.create_connection(address, timeout=PATIENCE) for _ in range(300)]
    assert flood[-1].recv(1) == b""  # over the limit: closed at once
    for connection in flood:
        connection.close()
    assert wait_for(lambda: _status_or_none(demo) == 401)


def _status_or_none(demo):
    try:
        return ask(demo, "basic.localhost").status
    except OSError:
        return None


def send(port, line):
    """The status of the response to these bytes, or None."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)) as raw:
        raw.sendall(line)
        raw.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            said = raw.makefile("rb").readline()
            return int(said.split()[1]) if said.startswith(b"HTTP/1.1 ") else None


def test_malformed_requests_harm_nobody_and_nothing_is_logged(tmp_path):
    started, ready = child(tmp_path, stdin=subprocess.PIPE)
    plain, tls = ready["ports"]["basic.localhost"], ready["ports"]["harbor.localhost"]
    for line, status in MALFORMED.items():
        assert send(plain, line) == status
        assert send(tls, line) in ((None,) if line[0] == 0x16 else (status, 400))
    canary = b"GET /v2/ HTTP/1.1\r\nAuthorization: " + basic("pusher", "canary").encode() + b"\r\n\r\n"
    assert (send(plain, canary), send(tls, canary)) == (401, 400)
    assert started.communicate(timeout=PATIENCE) == (b"", b"")
