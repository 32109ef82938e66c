"""The folder of CA certificates per host: which folder is read for which registry, and which files in it count."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from registries.probe import Policy, Reason, Result, probe
from registries.probe.certs_dir import NodeTrust, node_trust
from tests.peers.basic_registry import PASSWORD, USER, registry
from tests.peers.certificates import Authority
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    ScriptedServer,
    basic,
    registry_ok,
    scripted,
    unauthorized,
)

pytest_plugins = ("tests.peers.authorities",)


@pytest.fixture
def server(authority: Authority) -> Iterator[ScriptedServer]:
    pair = authority.issue("localhost", "registry.example")
    with scripted(registry, tls=authority.server_context(pair)) as server:
        yield server


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    return replace(HERE, certs_dir=str(tmp_path))


def put(root: Path, folder: str, text: str, name: str = "ca.crt") -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / name).write_text(text)


def run_probe(server: ScriptedServer, policy: Policy) -> Result:
    return probe(server.address, USER, PASSWORD, policy)


@pytest.mark.parametrize("folder", ["localhost:{port}", "localhost_{port}_", "_default"])
@pytest.mark.parametrize("name", ["ca.crt", "harbor.crt"])
def test_a_registry_on_a_port_has_the_folder_of_its_host_and_port(
    folder: str, name: str, server: ScriptedServer, policy: Policy, authority: Authority, tmp_path: Path
) -> None:
    assert run_probe(server, policy).reason is Reason.TLS_UNTRUSTED
    put(tmp_path, folder.format(port=server.port), authority.root.pem, name)
    assert run_probe(server, policy).reason is Reason.OK


def test_what_is_put_there_later_counts_and_what_is_taken_away_does_not(
    server: ScriptedServer, policy: Policy, authority: Authority, other_authority: Authority, tmp_path: Path
) -> None:
    """TLS contexts are cached, but a change of the files takes effect at once."""
    reasons = []
    for text in (other_authority.root.pem, authority.root.pem, other_authority.root.pem):
        put(tmp_path, server.netloc, text)
        reasons.append(run_probe(server, policy).reason)
    assert reasons == [Reason.TLS_UNTRUSTED, Reason.OK, Reason.TLS_UNTRUSTED]


@pytest.mark.parametrize("folder", ["localhost", "other.example", "localhost:1", "ca.crt", ""])
def test_the_folder_of_another_registry_is_not_read(
    folder: str, server: ScriptedServer, policy: Policy, authority: Authority, tmp_path: Path
) -> None:
    """`localhost` is the registry on port 443. For the nodes, too, the port is part of the name."""
    put(tmp_path, folder, authority.root.pem, "x.crt")
    assert run_probe(server, policy).reason is Reason.TLS_UNTRUSTED


@pytest.mark.parametrize("name", ["ca.pem", "client.cert", "ca.crt.bak"])
def test_only_what_ends_in_crt_is_a_ca(
    name: str, server: ScriptedServer, policy: Policy, authority: Authority, tmp_path: Path
) -> None:
    put(tmp_path, server.netloc, authority.root.pem, name)
    assert run_probe(server, policy).reason is Reason.TLS_UNTRUSTED


def test_an_unreadable_ca_is_a_result(server: ScriptedServer, policy: Policy, tmp_path: Path) -> None:
    put(tmp_path, server.netloc, "nonsense")
    result = run_probe(server, policy)
    assert (result.reason, result.cause) == (Reason.TLS_UNTRUSTED, "bad_ca")
    assert server.connections == 0


@pytest.mark.parametrize(
    ("host", "folders", "read"),
    [
        ("harbor.example", ["harbor.example"], "harbor.example"),
        ("harbor.example", ["harbor.example:443", "harbor.example_443_"], None),
        ("harbor.example:443", ["harbor.example"], None),
        ("harbor.example:443", ["harbor.example:443"], "harbor.example:443"),
        ("harbor.example:8443", ["harbor.example_8443_", "harbor.example:8443"], "harbor.example_8443_"),
        ("harbor.example:8443", ["_default", "harbor.example:8443"], "harbor.example:8443"),
        ("harbor.example", ["_default"], "_default"),
        ("docker.io", ["docker.io", "registry-1.docker.io"], "docker.io"),
        ("[::1]", ["[::1]"], "[::1]"),
        ("[::1]:5000", ["[::1]_5000_"], "[::1]_5000_"),
    ],
)
def test_the_first_folder_that_exists_is_read(
    host: str, folders: list[str], read: str | None, tmp_path: Path
) -> None:
    for folder in folders:
        put(tmp_path, folder, "")
    expected = (tmp_path / read / "ca.crt",) if read else ()
    assert node_trust(str(tmp_path), host) == NodeTrust(expected)


HOSTS = """
server = "https://{host}"
[host."https://mirror.example"]
  ca = "mirror.pem"
  skip_verify = true
[host."https://{host}"]
  capabilities = ["pull", "resolve"]
  ca = {ca}
"""


@pytest.mark.parametrize("ca", ['"own.pem"', '["other.pem", "own.pem"]', "'{absolute}'"])
def test_the_ca_of_hosts_toml_is_read(
    ca: str,
    server: ScriptedServer,
    policy: Policy,
    authority: Authority,
    other_authority: Authority,
    tmp_path: Path,
) -> None:
    put(tmp_path, server.netloc, authority.root.pem, "own.pem")
    put(tmp_path, server.netloc, other_authority.root.pem, "other.pem")
    text = HOSTS.format(host=server.netloc, ca=ca.format(absolute=tmp_path / server.netloc / "own.pem"))
    put(tmp_path, server.netloc, text, "hosts.toml")
    result = run_probe(server, policy)
    assert (result.reason, result.warnings) == (Reason.OK, ("nodes_have_mirrors",))


@pytest.mark.parametrize(
    ("text", "authorities", "skips"),
    [
        ("", [], False),
        ('ca = "a.pem"', ["a.pem"], False),
        ('server = "https://harbor.example"\nca = "a.pem"\nskip_verify = true', ["a.pem"], True),
        ('server = "https://elsewhere.example"\nca = "a.pem"\nskip_verify = true', [], False),
        ('[host."https://mirror.example"]\nca = "a.pem"\nskip_verify = true', [], False),
        ('[host."harbor.example"]\nca = ["a.pem", "b.pem"]', ["a.pem", "b.pem"], False),
        ('[host."https://Harbor.Example/v2"]\nskip_verify = true', [], True),
        ("ca = 7\nskip_verify = 1\nhost = 3", [], False),
        ('ca = ["a.pem", ["b", "c"]]', ["a.pem"], False),
        ("server = 7\n[host]\n'https://harbor.example' = 3", [], False),
    ],
)
def test_hosts_toml_is_read_for_the_registry_itself(
    text: str, authorities: list[str], skips: bool, tmp_path: Path
) -> None:
    put(tmp_path, "harbor.example", text, "hosts.toml")
    found = node_trust(str(tmp_path), "harbor.example")
    assert [path.name for path in found.authorities] == authorities
    assert found.skips_verification is skips


@pytest.mark.parametrize(
    ("folder", "text", "mirrors"),
    [
        ("docker.io", '[host."https://mirror.example"]', True),
        ("docker.io", '[host."http://10.0.0.1:5000"]\ncapabilities = ["pull", "resolve"]', True),
        ("docker.io", '[host."mirror.example"]\ncapabilities = ["pull"]', True),
        ("docker.io", '[host."https://docker.io"]', True),
        ("_default", 'server = "https://x"\n[host."https://mirror.example"]', True),
        ("docker.io", '[host."https://mirror.example"]\ncapabilities = ["push"]', False),
        ("docker.io", '[host."https://registry-1.docker.io"]', False),
        ("docker.io", 'server = "https://registry-1.docker.io"', False),
        ("docker.io", "host = 1", False),
        ("docker.io", '[host]\n"https://mirror.example" = 1', False),
        ("docker.io", "", False),
        ("other.example", '[host."https://mirror.example"]', False),
    ],
)
def test_a_mirror_gets_the_credential(folder: str, text: str, mirrors: bool, tmp_path: Path) -> None:
    put(tmp_path, folder, text, "hosts.toml")
    assert node_trust(str(tmp_path), "docker.io").has_mirrors is mirrors


def test_a_mirror_is_a_warning_whatever_the_verdict(
    server: ScriptedServer, policy: Policy, authority: Authority, tmp_path: Path
) -> None:
    text = '[host."https://mirror.example"]'
    put(tmp_path, server.netloc, text, "hosts.toml")
    assert run_probe(server, policy).warnings == ("nodes_have_mirrors",)
    put(tmp_path, server.netloc, authority.root.pem)
    assert run_probe(server, policy).warnings == ("nodes_have_mirrors",)


def test_what_docker_reads_counts_beside_hosts_toml(
    server: ScriptedServer, policy: Policy, authority: Authority, tmp_path: Path
) -> None:
    put(tmp_path, server.netloc, f'server = "https://{server.netloc}"', "hosts.toml")
    put(tmp_path, server.netloc, authority.root.pem)
    assert run_probe(server, policy).reason is Reason.OK


def test_skip_verify_is_told_and_not_followed(
    server: ScriptedServer, policy: Policy, authority: Authority, tmp_path: Path
) -> None:
    put(tmp_path, server.netloc, "skip_verify = true", "hosts.toml")
    result = run_probe(server, policy)
    assert (result.reason, result.warnings) == (Reason.TLS_UNTRUSTED, ("nodes_skip_verification",))
    assert server.requests == [], "the password is not sent"
    put(tmp_path, server.netloc, authority.root.pem)
    assert run_probe(server, policy).warnings == (), (
        "where the certificate is believed it makes no difference"
    )


@pytest.mark.parametrize("text", ["not = = toml", 'ca = "no-such-file.pem"', "\xff"])
def test_a_broken_hosts_toml_is_a_result(
    text: str, server: ScriptedServer, policy: Policy, tmp_path: Path
) -> None:
    (tmp_path / server.netloc).mkdir()
    (tmp_path / server.netloc / "hosts.toml").write_bytes(text.encode("latin-1"))
    result = run_probe(server, policy)
    assert (result.reason, result.cause) == (Reason.TLS_UNTRUSTED, "bad_ca")


def test_the_nodes_ca_holds_for_the_token_service_too(
    server: ScriptedServer, policy: Policy, authority: Authority, tmp_path: Path
) -> None:
    """containerd and docker use the registry's TLS configuration for the token service."""

    def token(request: Request) -> Reply:
        right = request.authorization == basic(USER, PASSWORD)
        return Reply(200, [], b'{"token": "t"}') if right else Reply(401)

    context = authority.server_context(authority.issue("localhost"))
    with scripted(token, tls=context) as service:
        server.script = lambda request: (
            registry_ok()
            if request.authorization == "Bearer t"
            else unauthorized(f'Bearer realm="{service.url("/token")}"')
        )
        put(tmp_path, server.netloc, authority.root.pem)
        assert run_probe(server, policy).reason is Reason.OK


def test_a_name_cannot_lead_out_of_the_folder(policy: Policy, tmp_path: Path) -> None:
    result = probe("../../etc", USER, PASSWORD, policy)
    assert result.reason is Reason.INVALID_DOMAIN
