"""The command that writes a pull secret to a cluster: a shell gives kubectl exactly these words, and no password."""

import html
import re
import subprocess

import pytest

from tests.canary import CANARY
from tests.cast import Cast
from tests.web.test_sync import htmx

KUBECTL = """kubectl() { if [ "$1" = apply ]; then cat; else printf '%s\\0' "$@"; fi; }; """
PAGES = ("/registries/team-a/harbor-prod/", "/registries/team-a/harbor-prod/password/")
USERS = (
    "admin",
    "robot$team+pull",
    "a b",
    "it's",
    'quo"te',
    "$(touch x)",
    "`id`",
    "-n",
    "a;b",
    "密",
    "a\\b",
    "*",
)


def words(command: str, password: str) -> list[str]:
    """The words that kubectl gets for a typed password."""
    given = f"{password}\n".encode()
    ran = subprocess.run(
        ["bash", "-c", KUBECTL + command], input=given, capture_output=True, check=True, timeout=60
    )
    return ran.stdout.decode().split("\0")[:-1]


def commands(cast: Cast, page: str) -> list[str]:
    text = htmx(cast).get(page).content.decode()
    assert CANARY not in text
    return [html.unescape(it) for it in re.findall(r"<code>(read -rs PASSWORD; [^<]+)</code>", text)]


@pytest.mark.parametrize("username", USERS)
def test_a_shell_reads_it_as_it_is_meant(cast: Cast, username: str) -> None:
    cast.add(username=username)
    (command,) = commands(cast, PAGES[0])
    assert commands(cast, PAGES[1]) == [command]

    assert words(command, r"p $x\y") == [
        *("create", "secret", "docker-registry", "harbor-prod", "-n", "team-a"),
        "--docker-server=harbor.example.com",
        f"--docker-username={username}",
        r"--docker-password=p $x\y",
        *("--dry-run=client", "-o", "yaml"),
    ]


SERVERS = {
    "docker.io": "https://index.docker.io/v1/",
    "registry.example.com:5000": "registry.example.com:5000",
    "http://registry.example.com": "registry.example.com",
}


@pytest.mark.parametrize("domain", SERVERS)
def test_the_server_is_the_key_that_kubelets_look_for(cast: Cast, domain: str) -> None:
    cast.add(domain=domain)
    (command,) = commands(cast, PAGES[0])

    assert f"--docker-server={SERVERS[domain]}" in words(command, "x")


def test_the_answer_to_a_new_password_says_what_comes_first(cast: Cast) -> None:
    registry = cast.add()
    form = {"uid": registry.uid, "generation": registry.generation, "password": "another-1", "anyway": "1"}

    response = htmx(cast).post(PAGES[1], form)

    assert response.status_code == 204
    assert "\\u540a\\u9500" in response["HX-Trigger"], "吊销"
