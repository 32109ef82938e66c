"""`python -m registries.probe`: its output, its language and its exit status."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from registries.probe import Policy, Reason, Result, __main__
from registries.probe.__main__ import reader_language
from tests.peers.certificates import Authority
from tests.peers.scripted import Reply, Request, basic, registry_ok, scripted, unauthorized
from tests.probe.commands import ROOT, registry, run


def test_a_success_exits_with_0_and_shows_the_steps() -> None:
    with scripted(registry) as server:
        done = run(server.address, "--username", "admin", "--password-stdin", "--allow-loopback")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "✓ Connected [ok]"
    for step in ("DNS lookup", "Connect", "Call registry", "Credential"):
        assert any(f"ms  {step}  localhost:{server.port}" in line for line in lines)
    assert lines[-1].endswith("2 requests, 1 connections")


def test_a_failure_exits_with_1_and_speaks_the_readers_language() -> None:
    with scripted(registry) as server:
        done = run(
            f"localhost:{server.port}",
            *("--plain-http", "--username", "admin", "--password-stdin", "--allow-loopback"),
            password=b"wrong",
            language="zh_CN.UTF-8",
        )
    assert done.returncode == 1
    assert "✗ 用户名或密码错误 [bad_credentials]" in done.stdout
    assert "确认凭证" in done.stdout
    assert "wrong" not in done.stdout


def test_a_terminal_without_chinese_gets_question_marks() -> None:
    done = run("x", "--username", "a:b", "--password-stdin", language="zh_CN.ISO-8859-1", encoding="latin-1")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("? ????")
    assert "[invalid_credentials_format]" in done.stdout


def test_json_has_the_stable_names() -> None:
    with scripted(registry) as server:
        done = run(server.address, "--username", "admin", "--password-stdin", "--allow-loopback", "--json")
    document = json.loads(done.stdout)
    assert {
        *("ok", "proven", "reason", "message", "hint", "detail", "cause", "retryAfter"),
        *("registryHost", "tokenHost", "steps", "durationMs", "requests"),
    } <= set(document)
    assert (document["ok"], document["reason"]) == (True, "ok")
    assert {"name", "milliseconds", "ok"} <= set(document["steps"][0])


def test_loopback_is_refused_unless_allowed() -> None:
    done = run("http://localhost:1", "--username", "admin", "--password-stdin")
    assert done.returncode == 1
    assert "[blocked_address]" in done.stdout


def test_a_ca_and_an_insecure_flag_can_be_given(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = authority.server_context(authority.issue("localhost"))
    with scripted(registry, tls=context) as server:
        base = [server.address, "--username", "admin", "--password-stdin", "--allow-loopback"]
        assert "[tls_untrusted]" in run(*base).stdout
        assert run(*base, "--ca", str(authority.root.certificate_file)).returncode == 0
        insecure = run(*base, "--insecure")
    assert insecure.returncode == 0
    assert "The certificate was not verified" in insecure.stdout


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en_US.UTF-8", ("The server's certificate: CN=harbor", "issued by CN=Test CA")),
        ("zh_CN.UTF-8", ("服务器出示的证书：CN=harbor", "颁发者 CN=Test CA", "有效期")),
    ],
)
def test_a_certificate_that_is_not_believed_is_shown(
    language: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    """The same probe succeeds with the CA from the JSON output in a file."""
    authority = Authority(tmp_path)
    pair = authority.issue("localhost", common_name="harbor", send_root=True)
    with scripted(registry, tls=authority.server_context(pair)) as server:
        base = [server.address, "--username", "admin", "--password-stdin", "--allow-loopback"]
        human = run(*base, language=language).stdout
        document = json.loads(run(*base, "--json").stdout)
        (tmp_path / "offered.pem").write_text(document["tls"]["caPem"])
        trusting = run(*base, "--ca", str(tmp_path / "offered.pem"))
    for word in (*words, pair.sha256, authority.root.sha256):
        assert word in human
    assert trusting.returncode == 0


def test_bytes_that_are_no_text_are_a_result(tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "en_US.UTF-8"}
    command = [sys.executable, "-m", "registries.probe", "x.example", "--username", "a", "--password-stdin"]
    done = subprocess.run(
        command, input=b"\xff\xfe", capture_output=True, cwd=ROOT, env=environment, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"[invalid_credentials_format]" in done.stdout


@pytest.mark.parametrize(
    ("password", "sent"),
    [
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b"secret\n\n", "secret\n"),
        (b"secret", "secret"),
        (b" secret ", " secret "),
        ("pässwörd\n".encode(), "pässwörd"),
    ],
)
def test_one_line_end_is_not_the_passwords(password: bytes, sent: str) -> None:
    def script(request: Request) -> Reply:
        return registry_ok() if request.authorization == basic("admin", sent) else unauthorized("Basic")

    with scripted(script) as server:
        done = run(
            server.address, "--username", "admin", "--password-stdin", "--allow-loopback", password=password
        )
    assert done.returncode == 0, done.stdout


def test_plain_http_is_opted_in_to_by_the_flag_and_the_realm_is_named() -> None:
    def script(request: Request) -> Reply:
        if request.path == "/token":
            return Reply(401)
        return unauthorized(f'Bearer realm="http://localhost:{server.port}/token"')

    with scripted(script) as server:
        base = [server.netloc, "--username", "admin", "--password-stdin", "--allow-loopback", "--json"]
        assert json.loads(run(*base).stdout)["reason"] in ("plain_http_server", "connection_reset")
        assert server.requests == []
        document = json.loads(run(*base, "--plain-http").stdout)
    assert (document["reason"], document["tokenHost"]) == ("bad_credentials", server.netloc)


def test_the_time_limit_can_be_given() -> None:
    with scripted(lambda request: Reply(delay=20)) as server:
        base = [server.address, "--username", "admin", "--password-stdin", "--allow-loopback"]
        assert "[timeout]" in run(*base, "--timeout", "0.3").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["registry.example"],
        ["registry.example", "--username", "admin"],
        ["registry.example", "--username", "admin", "--password", "secret"],
        ["registry.example", "--username", "admin", "--password-stdin", "--timeout", "-1"],
        ["registry.example", "--username", "admin", "--password-stdin", "--timeout", "soon"],
        ["registry.example", "--username", "admin", "--password-stdin", "--timeout", "nan"],
        ["registry.example", "--username", "admin", "--password-stdin", "--ca", "/no/such/file"],
        ["registry.example", "--username", "admin", "--password-stdin", "--ca", "/"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "chinese", "english"),
    [
        (("https://x.example", "--plain-http"), "互相矛盾", "contradict each other"),
        (("HTTPS://x.example", "--plain-http"), "互相矛盾", "contradict each other"),
        (
            ("x.example", "--ca", __file__),
            f"{__file__}：不是可读取的 PEM",
            f"{__file__}: no PEM certificates",
        ),
        (("x.example", "--timeout", "0"), "0：应为大于 0", "0: not a number of seconds above 0"),
        (("x.example", "--timeout", "601"), "不超过 600 的秒数", "up to 600"),
        (("x.example", "--timeout", "soon"), "soon：应为大于 0", "soon: not a number of seconds"),
    ],
)
def test_wrong_usage_is_told_in_the_readers_language(
    arguments: tuple[str, ...], chinese: str, english: str
) -> None:
    for language, words in (("zh_CN.UTF-8", chinese), ("en_US.UTF-8", english)):
        done = run(*arguments, "--username", "admin", "--password-stdin", language=language)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "total", "read", "connect"),
    [((), 20, 10, 5), (("--timeout", "60"), 60, 60, 15), (("--timeout", "2"), 2, 10, 5)],
)
def test_a_longer_test_waits_longer_for_an_answer_too(
    arguments: tuple[str, ...], total: float, read: float, connect: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Policy] = []

    def asking(address: str, username: str, password: str, policy: Policy) -> Result:
        asked.append(policy)
        return Result(Reason.OK)

    monkeypatch.setattr(__main__, "probe", asking)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"x")))
    assert __main__.main(["x.example", "--username", "admin", "--password-stdin", *arguments]) == 0
    (policy,) = asked
    assert (policy.total_timeout, policy.read_timeout, policy.connect_timeout) == (total, read, connect)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US", "LC_MESSAGES": "zh_CN"}, "zh"),
        ({"LANG": "zh_CN", "LC_ALL": ""}, "zh"),
        ({}, "en"),
    ],
)
def test_the_language_follows_the_locale(environment: dict[str, str], language: str) -> None:
    assert reader_language(environment) == language
