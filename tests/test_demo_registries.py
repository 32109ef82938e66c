"""The demo's loopback registries, as a real child process and over real sockets."""

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from registries.demo import certificates
from registries.demo.catalogue import ACCESS_TOKEN, CLOSED, RENEWED, catalogue
from registries.demo.process import ROOT, DemoError, DemoRegistries
from registries.demo.tempers import OFFSETS, TEMPERS
from registries.demo.tokens import Access, TokenKey
from registries.probe import Policy, probe

BY_NAME = {temper.name: temper for temper in TEMPERS}
PLAIN = {host for host, service in catalogue(OFFSETS).items() if service.certificate is None}
BASE = 12000 + os.getpid() % 40 * 400


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with DemoRegistries(tmp_path_factory.mktemp("demo"), base_port=BASE) as registries:
        assert not registries.skipped
        yield registries


class Client:
    """One connection to a host of the demo, by address, with the host's own name in SNI and Host."""

    def __init__(self, demo, host, *, verify=True, timeout=8):
        self.host = f"{host}:{demo.ports[host]}"
        self.connection = http.client.HTTPConnection(host, demo.ports[host], timeout=timeout)
        self.connection.sock = socket.create_connection(("127.0.0.1", demo.ports[host]), timeout=timeout)
        if host not in PLAIN:
            context = ssl.create_default_context(cafile=demo.ca_file)
            context.verify_flags |= ssl.VERIFY_X509_STRICT
            if not verify:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.connection.sock = context.wrap_socket(self.connection.sock, server_hostname=host)

    def ask(self, path="/v2/", authorization=None, *, method="GET", body=None, **headers):
        headers = {
            "Host": self.host,
            **headers,
            **({"Authorization": authorization} if authorization else {}),
        }
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        answer.body = answer.read()
        return answer


def ask(demo, host, path="/v2/", authorization=None, **options):
    client = Client(demo, host)
    with closing(client.connection):
        return client.ask(path, authorization, **options)


def basic(username, password):
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def realm(answer):
    parts = dict(part.split("=", 1) for part in answer.headers["WWW-Authenticate"][7:].split(","))
    return urlsplit(parts["realm"].strip('"')), parts["service"].strip('"')


def token_answer(demo, host, credentials=None, **fields):
    """What the token service of a registry says, asked as docker and skopeo ask."""
    url, service = realm(ask(demo, host))
    path = f"{url.path}?{urlencode({'service': service, **fields})}"
    return ask(demo, url.hostname, path, basic(*credentials) if credentials else None)


def login(demo, host, credentials):
    """The last status of a login."""
    ping = ask(demo, host)
    if ping.status == 401 and ping.headers["WWW-Authenticate"].startswith("Bearer"):
        answer = token_answer(demo, host, credentials)
        if answer.status != 200:
            return answer.status
        return ask(demo, host, "/v2/", f"Bearer {json.loads(answer.body)['token']}").status
    return ask(demo, host, "/v2/", basic(*credentials)).status


def accepts(port):
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_the_table_is_consistent():
    assert len(BY_NAME) == len(TEMPERS)
    assert len(set(OFFSETS.values())) == len(OFFSETS)
    assert all(OFFSETS[temper.host] == temper.port_offset for temper in TEMPERS)
    assert set(catalogue(OFFSETS)) == OFFSETS.keys() - CLOSED
    # One test at a time per registry and user name: a failing neighbour must not block a good one.
    assert len({(temper.host, temper.username, temper.scheme) for temper in TEMPERS}) == len(TEMPERS)
    assert "Harbor12345" not in repr(TEMPERS)


@pytest.mark.parametrize("name", ["harbor", "dockerhub", "aliyun", "basic", "insecure-realm"])
def test_the_right_password_logs_in_and_a_wrong_one_does_not(demo, name):
    temper = BY_NAME[name]
    assert login(demo, temper.host, (temper.username, temper.password)) == 200
    assert login(demo, temper.host, (temper.username, "not this")) == 401
    assert login(demo, temper.host, ("nobody", temper.password)) == 401
    ping = ask(demo, temper.host)
    assert ping.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert json.loads(ping.body)["errors"][0]["code"] == "UNAUTHORIZED"


def test_harbor_gives_a_token_for_nobody_to_a_wrong_password_with_a_scope(demo):
    host, wrong = "harbor.localhost", ("admin", "not this")
    refused = token_answer(demo, host, wrong)
    assert (refused.status, refused.body) == (401, b"")
    given = token_answer(demo, host, wrong, scope="repository:library/app:pull")
    assert given.status == 200
    token = json.loads(given.body)["token"]
    answer = ask(demo, host, "/v2/", f"Bearer {token}")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="harbor"')
    assert ask(demo, host, "/v2/library/app/tags/list", f"Bearer {token}").status == 401
    assert token_answer(demo, host).status == 401
    assert ask(demo, host, "/v2/", basic("admin", "Harbor12345")).status == 200
    assert ask(demo, host, "/service/token?service=another").status == 400


def test_docker_hub_gives_tokens_for_nobody_that_open_the_registry_and_asks_for_an_access_token(demo):
    host = "dockerhub.localhost"
    anonymous = json.loads(token_answer(demo, host).body)["token"]
    assert ask(demo, host, "/v2/", f"Bearer {anonymous}").status == 200
    wrong = token_answer(demo, host, ("moby", "not this"))
    assert (wrong.status, json.loads(wrong.body)) == (401, {"details": "incorrect username or password"})
    whaler = BY_NAME["two-factor"]
    refused = token_answer(demo, host, (whaler.username, whaler.password))
    assert (refused.status, b"personal access token is required" in refused.body) == (401, True)
    assert token_answer(demo, host, (whaler.username, "not this")).body == wrong.body
    assert login(demo, host, ACCESS_TOKEN) == 200
    assert login(demo, "harbor.localhost", RENEWED) == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"grant_type": "password", "username": "moby", "password": "whale-4242"}, 200),
        ({"grant_type": "password", "username": "moby", "password": "not this"}, 401),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 400),
    ],
)
def test_docker_hub_speaks_oauth(demo, form, status):
    body = urlencode({"service": "registry.docker.io", **form})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = ask(demo, "auth.dockerhub.localhost", "/token", method="POST", body=body, **kind)
    assert answer.status == status
    assert ("access_token" in json.loads(answer.body)) == (status == 200)
    assert ask(demo, "harbor.localhost", "/service/token", method="POST", body=body, **kind).status == 405


def test_a_token_is_checked_for_scope_signature_and_registry(demo):
    host, credentials, path = "aliyun.localhost", BY_NAME["aliyun"], "/v2/team/app/manifests/1"
    credentials = (credentials.username, credentials.password)
    plain = json.loads(token_answer(demo, host, credentials).body)["token"]
    challenge = ask(demo, host, path, f"Bearer {plain}").headers["WWW-Authenticate"]
    assert 'scope="repository:team/app:pull",error="insufficient_scope"' in challenge
    scoped = token_answer(demo, host, credentials, scope="repository:team/app:pull")
    answer = ask(demo, host, path, f"Bearer {json.loads(scoped.body)['token']}")
    assert (answer.status, json.loads(answer.body)["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
    head, claims, signature = plain.split(".")
    nobody = json.loads(token_answer(demo, host).body)["token"]
    forged = f"{head}.{claims}.{signature[:-2]}{'AA' if signature[-2:] != 'AA' else 'BB'}"
    for bad in (nobody, forged, f"{head}.{claims}.", "é", "x" * 20000, ".."):
        assert ask(demo, host, "/v2/", f"Bearer {bad}").status == 401
    assert ask(demo, "dockerhub.localhost", "/v2/", f"Bearer {plain}").status == 401


def test_a_token_ends_and_belongs_to_one_service():
    key = TokenKey("issuer", "registry")
    access = Access.parse("repository:host:5000/app:pull,push")
    assert str(access) == "repository:host:5000/app:pull,push"
    assert key.check(key.issue("me", [access])).allows(Access("repository", "host:5000/app", ("pull",)))
    assert key.check(key.issue("me", lifetime=0)) is None
    for other in (TokenKey("issuer", "other", key.secret), TokenKey("issuer", "registry")):
        assert key.check(other.issue("me")) is None


def test_the_realm_follows_a_client_by_address_and_repeats_no_other_name(demo):
    for given, shown in {"127.0.0.1:1": "127.0.0.1", "localhost": "localhost", "evil.example": "x"}.items():
        url, _ = realm(ask(demo, "dockerhub.localhost", Host=given))
        assert url.hostname == (shown if shown != "x" else "auth.dockerhub.localhost")
        assert url.port == demo.ports["auth.dockerhub.localhost"]


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("open", 200, "{}"),
        ("expired-credentials", 401, "token has expired"),
        ("access-denied", 403, "DENIED"),
        ("rate-limited", 429, "TOOMANYREQUESTS"),
        ("server-error", 503, "UNAVAILABLE"),
        ("login-page", 200, "<!doctype html>"),
        ("redirecting", 307, ""),
        ("bad-challenge", 401, "UNAUTHORIZED"),
        ("negotiate", 401, "UNAUTHORIZED"),
    ],
)
def test_what_the_others_answer(demo, name, status, text):
    temper = BY_NAME[name]
    answer = ask(demo, temper.host, "/v2/", basic(temper.username, temper.password))
    assert (answer.status, text in answer.body.decode()) == (status, True)
    assert answer.headers["Retry-After"] == ("120" if status == 429 else None)
    assert (answer.headers["Docker-Distribution-Api-Version"] is None) == (
        name in ("login-page", "redirecting")
    )


def test_token_services_in_trouble(demo):
    assert token_answer(demo, "stumbling.localhost", ("admin", "x")).status == 500
    assert b"<h1>" in token_answer(demo, "gateway.localhost", ("admin", "x")).body
    assert login(demo, "drifting.localhost", ("admin", "mind-the-clock")) == 401
    assert token_answer(demo, "drifting.localhost", ("admin", "mind-the-clock")).status == 200
    assert realm(ask(demo, "insecure.localhost"))[0].scheme == "http"
    with pytest.raises(ConnectionRefusedError):
        token_answer(demo, "headless.localhost")


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
        # Python's ssl tells a reset as an end of file; the socket underneath knows better.
        underneath = socket.socket(fileno=os.dup(connection.sock.fileno()))
        underneath.settimeout(5)
        with closing(underneath), pytest.raises(ConnectionResetError):
            list(iter(lambda: underneath.recv(65536), b""))
    with pytest.raises(TimeoutError):
        Client(demo, "hanging.localhost", timeout=0.3).ask()
    for host in CLOSED:
        assert not accepts(demo.ports[host])
    address = ("127.0.0.1", demo.ports["plain.localhost"])
    with closing(socket.create_connection(address)) as raw, pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(raw, server_hostname="plain.localhost")
    plain = http.client.HTTPConnection("127.0.0.1", demo.ports["harbor.localhost"], timeout=5)
    plain.request("GET", "/v2/", headers={"Authorization": "Basic eDp5"})
    answer = plain.getresponse()
    assert (answer.status, b"HTTP request to an HTTPS server" in answer.read()) == (400, True)


def test_slow_takes_three_seconds_for_a_password_and_none_for_a_question(demo):
    began = time.monotonic()
    assert ask(demo, "slow.localhost").status == 401
    assert time.monotonic() - began < 1
    assert ask(demo, "slow.localhost", "/v2/", basic("snail", "no-hurry-3")).status == 200
    assert 3 <= time.monotonic() - began < 5


def test_one_connection_serves_many_requests_and_head_has_no_body(demo):
    methods = [("GET", "/v2/"), ("HEAD", "/v2/"), ("GET", "/v2"), ("PUT", "/v2/"), ("GET", "/")]
    with closing(socket.create_connection(("127.0.0.1", demo.ports["open.localhost"]), 5)) as raw:
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
    with closing(socket.create_connection(("127.0.0.1", demo.ports["basic.localhost"]), 5)) as raw:
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
    b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n": 414,
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
    flood = [socket.create_connection(address, timeout=5) for _ in range(300)]
    assert flood[-1].recv(1) == b""  # over the limit: closed at once
    for connection in flood:
        connection.close()
    assert wait_until(lambda: _status_or_none(demo) == 401, 5)


def _status_or_none(demo):
    try:
        return ask(demo, "basic.localhost").status
    except OSError:
        return None


def test_certificates_are_private_reused_and_renewed_in_time(tmp_path, monkeypatch):
    def contents():
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    certificates.issue(tmp_path, ["a.localhost"])
    first = contents()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    certificates.issue(tmp_path, ["a.localhost"])
    assert contents() == first
    certificates.issue(tmp_path, ["a.localhost", "b.localhost"])
    changed = {name for name, content in contents().items() if content != first[name]}
    assert changed == {"registries.pem", "self-signed.pem", "expired.pem"}
    second = contents()
    monkeypatch.setattr(certificates, "RENEW_DAYS", 400)
    certificates.issue(tmp_path, ["a.localhost", "b.localhost"])
    changed = {name for name, content in contents().items() if content != second[name]}
    assert changed == {"registries.pem", "self-signed.pem", "wrong-name.pem"}
    monkeypatch.undo()
    for name in ("ca-key.pem", "expired.pem"):
        (tmp_path / name).write_text("damaged")
    files = certificates.issue(tmp_path, ["a.localhost", "b.localhost"])
    assert handshake(files, files.wrong_name, "former-name.localhost")
    assert contents()["ca.pem"] != first["ca.pem"]
    assert set(contents()) == set(first)


def test_the_authority_vouches_for_loopback_names_only(tmp_path):
    files = certificates.issue(tmp_path, ["a.localhost", "b.example.com"])
    assert handshake(files, files.wrong_name, "former-name.localhost")
    for name in ("a.localhost", "b.example.com"):
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            handshake(files, files.registries, name)
        assert refused.value.verify_code == 47  # X509_V_ERR_PERMITTED_VIOLATION


def handshake(files, certificate, name):
    """Client and server in memory. Raises what the client has against the certificate."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    client = ssl.create_default_context(cafile=files.ca)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (here, there):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    here.do_handshake()
    return here.version()


def listening(pid):
    """Addresses and ports that a process listens on, as /proc has them."""
    links = (os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink())
    inodes = {link[8:-1] for link in links if link.startswith("socket:")}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                yield address, int(port, 16)


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="needs Linux's /proc")
def test_only_loopback_is_listened_on(demo):
    expected = {port for host, port in demo.ports.items() if host not in CLOSED}
    assert set(listening(demo.pid)) == {("0100007F", port) for port in expected}


def test_ports_and_certificates_are_remembered_and_closed_afterwards(tmp_path):
    with DemoRegistries(tmp_path, base_port=BASE + 50) as registries:
        ports, authority = registries.ports, registries.ca_file.read_bytes()
        assert registries.address(BY_NAME["harbor"]) == f"harbor.localhost:{ports['harbor.localhost']}"
        assert registries.address(BY_NAME["basic"]) == f"http://basic.localhost:{ports['basic.localhost']}"
        # A connection that outlives the server keeps its port in the system's tables for a while.
        lingering = socket.create_connection(("127.0.0.1", ports["basic.localhost"]), timeout=5)
        lingering.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert lingering.recv(65536).startswith(b"HTTP/1.1 404")
    assert not any(accepts(port) for port in ports.values())
    began = time.monotonic()
    with DemoRegistries(tmp_path, base_port=BASE) as registries:
        assert time.monotonic() - began < 2
        assert (registries.ports, registries.skipped) == (ports, {})
        assert registries.ca_file.read_bytes() == authority
        assert ask(registries, "harbor.localhost").status == 401
    lingering.close()


def test_a_port_that_is_taken_is_passed_over_at_first_and_skipped_later(tmp_path):
    base = BASE + 100
    other = socket.create_server(("127.0.0.1", base))
    with closing(other), DemoRegistries(tmp_path, base_port=base) as registries:
        moved = registries.ports["harbor.localhost"]
        assert moved > base
        assert registries.ports["dockerhub.localhost"] == base + 1
        assert registries.skipped == {}
    others = [socket.create_server(("127.0.0.1", moved)), socket.create_server(("", base + 11))]
    with DemoRegistries(tmp_path, base_port=base) as registries:
        assert registries.skipped == {"harbor.localhost": moved, "down.localhost": base + 11}
        assert registries.address(BY_NAME["harbor"]) == f"harbor.localhost:{moved}"
        assert ask(registries, "basic.localhost").status == 401
        with DemoRegistries(tmp_path, base_port=base) as second:
            assert second.skipped == second.ports == registries.ports
    for other in others:
        other.close()
    with DemoRegistries(tmp_path, base_port=base) as registries:
        assert registries.skipped == {}
        assert registries.ports["harbor.localhost"] == moved


def test_a_damaged_memory_of_ports_is_replaced(tmp_path):
    for damaged in ("{", "[1]", '{"harbor.localhost": "x", "basic.localhost": 0, "open.localhost": 99999}'):
        (tmp_path / "ports.json").write_text(damaged)
        with DemoRegistries(tmp_path, base_port=BASE + 150) as registries:
            assert json.loads((tmp_path / "ports.json").read_text()).items() >= registries.ports.items()


def test_a_start_that_fails_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoError, match=r"(?s)did not start: it ended.*FileExistsError"):
        DemoRegistries(tmp_path / "file").start()
    slow = DemoRegistries(tmp_path, base_port=BASE + 200, timeout=0)
    with pytest.raises(DemoError, match="not ready after 0 s"):
        slow.start()
    assert slow.pid is None


def child(tmp_path, **options):
    command = [
        sys.executable,
        "-m",
        "registries.demo",
        "--state",
        str(tmp_path),
        "--base-port",
        str(BASE + 250),
    ]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, **options)
    return started, json.loads(started.stdout.readline())


def send(port, line):
    """The status of the answer to these bytes, or None."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=8)) as raw:
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
    assert started.communicate(timeout=5) == (b"", b"")


@pytest.mark.parametrize("how", ["end of input", signal.SIGTERM, signal.SIGINT])
def test_the_child_ends_within_a_second_even_while_connections_hang(tmp_path, how):
    started, ready = child(tmp_path, stdin=subprocess.PIPE)
    hanging = [
        socket.create_connection(("127.0.0.1", ready["ports"][host]), timeout=5)
        for host in ("hanging.localhost", "harbor.localhost", "basic.localhost")
    ]
    began = time.monotonic()
    if how == "end of input":
        started.stdin.close()
    else:
        started.send_signal(how)
    assert started.wait(5) == 0
    assert time.monotonic() - began < 1
    for opened in (*hanging, started.stdin, started.stdout, started.stderr):
        opened.close()


def test_no_input_at_all_ends_the_child(tmp_path):
    started, ready = child(tmp_path, stdin=subprocess.DEVNULL)
    assert ready["ready"]
    assert started.communicate(timeout=5) == (b"", b"")


PARENT = """
import os, sys, time
from registries.demo.process import DemoRegistries
with DemoRegistries(sys.argv[1], base_port=int(sys.argv[2])) as registries:
    worker = os.fork()
    if worker:
        print(registries.ports["basic.localhost"], worker, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("worker_leaves_first", [True, False])
def test_the_registries_end_with_a_killed_parent_and_not_with_its_forked_worker(
    tmp_path, worker_leaves_first
):
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(BASE + 300)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
    port, worker = map(int, parent.stdout.readline().split())
    parent.stdout.close()
    if worker_leaves_first:
        os.kill(worker, signal.SIGINT)  # leaves the block by an exception, as a worker of gunicorn does
        time.sleep(0.3)
    assert accepts(port)
    parent.kill()
    parent.wait()
    try:
        assert wait_until(lambda: not accepts(port), 2)
    finally:
        if not worker_leaves_first:
            os.kill(worker, signal.SIGKILL)


@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is absent: apt-get install skopeo")
@pytest.mark.parametrize("name", ["basic", "harbor"])
def test_skopeo_logs_in_with_the_right_password_only(demo, tmp_path, name):
    temper = BY_NAME[name]
    shutil.copy(demo.ca_file, tmp_path / "ca.crt")
    trust = ["--tls-verify=false"] if temper.scheme == "http" else ["--cert-dir", str(tmp_path)]
    command = ["skopeo", "login", *trust, "--authfile", str(tmp_path / "auth.json"), "-u", temper.username]
    command += ["--password-stdin", f"127.0.0.1:{demo.ports[temper.host]}"]
    for password, code in {temper.password: 0, "not this": 1}.items():
        done = subprocess.run(command, input=password.encode(), capture_output=True, timeout=20, check=False)
        assert done.returncode == code, done.stderr
        assert (b"invalid username/password" in done.stderr) == bool(code)


@pytest.mark.parametrize("temper", TEMPERS, ids=lambda temper: temper.name)
def test_the_connection_test_finds_the_temper(demo, temper):
    limit = 2 if temper.expect == "timeout" else 15
    policy = Policy(allow_loopback=True, ca_file=str(demo.ca_file), total_timeout=limit)
    result = probe(demo.address(temper), temper.username, temper.password, policy)
    assert result.reason == temper.expect
    assert result.ok == (temper.expect in ("ok", "ok_unverified"))
