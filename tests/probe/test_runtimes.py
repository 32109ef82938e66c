"""Our verdict beside those of real clients: Debian's containerd as a kubelet uses it, Debian's dockerd, and skopeo.

One containerd and one dockerd serve all cases. They pull a tag that cannot exist: "not found" means that the credential
was accepted, and nothing is downloaded.
"""

import http.client
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from registries.probe import Reason, probe
from registries.probe.node_view import NodeView
from tests.peers.certificates import Authority
from tests.peers.docker_registry import token_service
from tests.peers.scripted import (
    HERE,
    Reply,
    Request,
    basic,
    scripted,
    unauthorized,
)
from tests.peers.skopeo import skopeo_login
from tests.probe.runtimes import CREDENTIALS, REGISTRIES, RIGHT, USERS, Place, one_user
from tests.probe.runtimes import place as place

pytest_plugins = ("tests.peers.authorities",)


@pytest.mark.parametrize("name", REGISTRIES)
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_our_verdict_is_that_of_nodes_docker_and_skopeo(
    name: str, credential: str, place: Place, tmp_path: Path
) -> None:
    registry, (username, password) = place.registries[name], CREDENTIALS[credential]
    ours = probe(place.address(name), username, password, place.policy)
    tls = name.endswith("tls")
    trust = {"tls_verify": tls, "cert_dir": place.ca_dir if tls else None}

    verdicts = {
        "ours": ours.ok,
        "containerd": place.node.accepts(registry, username, password),
        "docker": place.docker.accepts(registry, username, password),
        "skopeo": skopeo_login(registry, username, password, tmp_path / "skopeo", **trust),  # type: ignore[arg-type]
    }
    assert verdicts == dict.fromkeys(verdicts, name == "open" or credential.startswith("right"))
    assert ours.node is None
    assert ours.proven is (ours.ok and name != "open")


@pytest.mark.parametrize("name", REGISTRIES)
@pytest.mark.parametrize("runtime", ["node", "docker"])
def test_a_proven_password_is_one_that_nodes_need(name: str, runtime: str, place: Place) -> None:
    ours = probe(place.address(name), *RIGHT, place.policy)

    assert getattr(place, runtime).accepts(place.registries[name]) is (ours.reason is Reason.OK_UNVERIFIED)


POSTS = {
    **dict.fromkeys((400, 401, 404, 405, "access_token", "token access_token")),
    **dict.fromkeys((403, 406, 500, 501, 503), NodeView.POST_REFUSED),
    "token": NodeView.NO_ACCESS_TOKEN,
}


@pytest.mark.parametrize(("posted", "view"), POSTS.items())
@pytest.mark.parametrize("credential", ["right", "wrong password"])
def test_the_view_of_a_node_is_right(
    posted: int | str, view: NodeView | None, credential: str, place: Place
) -> None:
    registry, (username, password) = place.registries["token http"], CREDENTIALS[credential]
    assert place.tokens
    usual, place.tokens.script = place.tokens.script, token_service(USERS, place.signer, posted=posted)
    try:
        ours = probe(f"http://{registry}", username, password, place.policy)
        containerd = place.node.accepts(registry, username, password)
        docker = place.docker.accepts(registry, username, password)
    finally:
        place.tokens.script = usual

    right = credential == "right"
    assert (ours.ok, ours.node) == (right, view if right else None)
    assert containerd is (ours.ok and ours.node is None)
    assert docker is ours.ok, "docker asks by GET"


def _before(registry: str, rewrite: Callable[[str], list[str]]) -> Callable[[Request], Reply]:
    """A proxy that rewrites the challenges of a registry; each text is a header line."""

    def script(request: Request) -> Reply:
        connection = http.client.HTTPConnection(registry, timeout=30)
        sent = {name: value for name, value in request.headers if name in ("authorization", "host", "accept")}
        connection.request(request.method, request.target, headers=sent)
        answer = connection.getresponse()
        body, lines = answer.read(), answer.headers.get_all("WWW-Authenticate") or []
        kept = [(name, answer.headers[name]) for name in ("Content-Type", "Docker-Distribution-Api-Version")]
        challenges = [("WWW-Authenticate", it) for line in lines for it in rewrite(line)]
        return Reply(answer.status, [*((k, v) for k, v in kept if v), *challenges], body)

    return script


REWRITTEN: dict[str, tuple[str, Callable[[str], list[str]], bool]] = {
    "as it is": ("token http", lambda line: [line], True),
    "twice": ("token http", lambda line: [line, line], True),
    "another scheme before": ("token http", lambda line: ["Negotiate", line], True),
    "Basic after it on its line": ("token http", lambda line: [f'{line}, Basic realm="x"'], True),
    "a comma in quotes": ("token http", lambda line: [f'{line},note="a, Basic"'], True),
    "small letters": ("token http", lambda line: [line.replace("Bearer", "bearer")], True),
    "Basic before it on its line": ("token http", lambda line: [f'Basic realm="x", {line}'], False),
    "Negotiate before it on its line": ("token http", lambda line: [f"Negotiate, {line}"], False),
    "no quotes": ("token http", lambda line: [line.replace('"', "")], False),
    "blanks around the signs": ("token http", lambda line: [line.replace("=", " = ")], False),
    "two realms": ("token http", lambda line: [f'{line},realm="http://localhost:1/"'], False),
    "Basic as it is": ("basic http", lambda line: [line], True),
    "Basic without quotes": ("basic http", lambda line: [line.replace('"', "")], True),
    "Negotiate before Basic": ("basic http", lambda line: [f"Negotiate, {line}"], False),
    "Negotiate on the line before Basic": ("basic http", lambda line: ["Negotiate", line], True),
}


@pytest.mark.parametrize(("name", "rewrite", "read"), REWRITTEN.values(), ids=REWRITTEN)
def test_a_challenge_that_nodes_do_not_read_is_told(
    name: str, rewrite: Callable[[str], list[str]], read: bool, place: Place, tmp_path: Path
) -> None:
    """The test reads it, so a success would promise pulls that fail."""
    with scripted(_before(place.registries[name], rewrite)) as proxy:
        ours = probe(proxy.address, *CREDENTIALS["right"], place.policy)
        accepted = _accepted(place, proxy.netloc, tmp_path)
        wrong = probe(proxy.address, *CREDENTIALS["wrong password"], place.policy)
    assert (ours.reason, ours.node) == (Reason.OK, None if read else NodeView.CHALLENGE)
    assert accepted == dict.fromkeys(("containerd", "docker", "CRI-O"), read)
    assert (wrong.reason, wrong.node) == (Reason.BAD_CREDENTIALS, None)


def _accepted(place: Place, registry: str, folder: Path) -> dict[str, bool]:
    """Which runtimes can use the right credential."""
    right = CREDENTIALS["right"]
    return {
        "containerd": place.node.accepts(registry, *right),
        "docker": place.docker.accepts(registry, *right),
        "CRI-O": skopeo_login(registry, *right, folder / "skopeo", tls_verify=False),
    }


BASIC = 'Basic realm="x"'
TWO_SCHEMES: dict[str, tuple[Callable[[str], list[str]], bool]] = {
    "after": (lambda line: [line, BASIC], True),
    "before": (lambda line: [BASIC, line], False),
    "first of three": (lambda line: [BASIC, "Negotiate", line], False),
    "last of three": (lambda line: ["Negotiate", line, BASIC], True),
}


@pytest.mark.parametrize("accepts_basic", [True, False])
@pytest.mark.parametrize(("rewrite", "bearer_first"), TWO_SCHEMES.values(), ids=TWO_SCHEMES)
def test_docker_answers_basic_and_crio_the_first_line(
    rewrite: Callable[[str], list[str]],
    bearer_first: bool,
    accepts_basic: bool,
    place: Place,
    tmp_path: Path,
) -> None:
    """The token service has the address of the registry, so that the test may try Basic as well."""
    assert place.tokens
    own, realm = _before(place.registries["token http"], rewrite), place.tokens.url("/token")
    to_registry = _before(
        place.registries["token http"], lambda line: rewrite(line.replace(realm, proxy.url("/token")))
    )
    to_tokens = place.tokens.script

    def script(request: Request) -> Reply:
        if request.path == "/token":
            return to_tokens(request)
        if accepts_basic and request.authorization == basic(*CREDENTIALS["right"]):
            return one_user(request)
        return to_registry(request)

    with scripted(own) as elsewhere:
        unproven = probe(elsewhere.address, *CREDENTIALS["right"], place.policy)
        sent_elsewhere = elsewhere.authorizations()
    with scripted(script) as proxy:
        ours = probe(proxy.address, *CREDENTIALS["right"], place.policy)
        accepted = _accepted(place, proxy.netloc, tmp_path)
        sent = len(proxy.requests)
        wrong = probe(proxy.address, *CREDENTIALS["wrong password"], place.policy)

    assert (ours.reason, ours.node) == (Reason.OK, None if accepts_basic else NodeView.BASIC_REFUSED)
    assert accepted == {
        "containerd": True,
        "docker": accepts_basic,
        "CRI-O": accepts_basic or bearer_first,
    }
    assert (unproven.reason, unproven.node) == (Reason.OK, None)
    assert "basic_not_tested" in unproven.warnings
    assert basic(*CREDENTIALS["right"]) not in sent_elsewhere
    assert "basic_not_tested" not in ours.warnings
    assert (wrong.reason, wrong.node) == (Reason.BAD_CREDENTIALS, None)
    to_v2 = {it.authorization for it in proxy.requests[sent:] if it.path != "/token"}
    assert basic(*CREDENTIALS["wrong password"]) not in to_v2, "a refused one is not sent again"


def _refusing(request: Request) -> Reply:
    return unauthorized('Basic realm="mirror"')


def _without_images(request: Request) -> Reply:
    return Reply(404)


@pytest.mark.parametrize("mirror", [_refusing, _without_images])
@pytest.mark.parametrize("credential", ["right", "wrong password"])
def test_a_node_sends_the_credential_to_a_mirror_as_the_warning_says(
    mirror: object, credential: str, place: Place
) -> None:
    registry, (username, password) = place.registries["basic http"], CREDENTIALS[credential]
    policy = replace(place.policy, certs_dir=str(place.node.certs_dir))
    assert "nodes_have_mirrors" not in probe(f"http://{registry}", username, password, policy).warnings
    with scripted(mirror) as server:  # type: ignore[arg-type]
        text = f'server = "http://{registry}"\n[host."http://{server.netloc}"]\ncapabilities = ["pull", "resolve"]\n'
        place.node.configure(registry, text)
        try:
            ours = probe(f"http://{registry}", username, password, policy)
            said = place.node.pull(f"{registry}/project/app:no-such-tag", username, password)
        finally:
            (place.node.certs_dir / registry / "hosts.toml").unlink()

    assert "nodes_have_mirrors" in ours.warnings
    assert ours.ok is (credential == "right")
    sent = basic(username, password) in server.authorizations()
    assert sent is (mirror is _refusing), said


HARBOR, OTHER_PORT = "harbor.example", "harbor.example:8443"


@pytest.mark.parametrize(
    ("registry", "folder", "name", "trusted"),
    [
        (HARBOR, HARBOR, "ca.crt", True),
        (HARBOR, HARBOR, "harbor.crt", True),
        (HARBOR, HARBOR, "ca.pem", False),
        (HARBOR, HARBOR, "ca.crt.bak", False),
        (HARBOR, f"{HARBOR}:443", "ca.crt", False),
        (HARBOR, OTHER_PORT, "ca.crt", False),
        (HARBOR, "other.example", "ca.crt", False),
        (HARBOR, "", "ca.crt", False),
        (f"{HARBOR}:443", f"{HARBOR}:443", "ca.crt", True),
        (f"{HARBOR}:443", HARBOR, "ca.crt", False),
        (OTHER_PORT, OTHER_PORT, "ca.crt", True),
        (OTHER_PORT, HARBOR, "ca.crt", False),
    ],
)
def test_certs_d_is_read_as_docker_reads_it(
    registry: str, folder: str, name: str, trusted: bool, place: Place, authority: Authority
) -> None:
    certs_dir = place.docker.certs_dir
    file = certs_dir / folder / name
    file.parent.mkdir(parents=True)
    file.write_text(authority.root.pem)
    policy = replace(HERE, certs_dir=str(certs_dir), proxy=place.proxy, proxy_resolves=True)
    try:
        for credential in ("right", "wrong password"):
            ours = probe(registry, *CREDENTIALS[credential], policy)
            docker = place.docker.accepts(registry, *CREDENTIALS[credential])
            assert ours.ok is docker is (trusted and credential == "right")
            assert (ours.reason is Reason.TLS_UNTRUSTED) is not trusted
    finally:
        shutil.rmtree(certs_dir)
