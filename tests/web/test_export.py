"""The commands of pages that need a password or a token: a shell hands it on as it was typed, and no process has it
among its arguments."""

import base64
import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from registries.domain.resource import encode_password
from registries.web.registry.details import commands as details_commands
from registries.web.registry.rotation import version_of
from registries.words.shell import ASK_TOKEN
from tests.canary import CANARY
from tests.cast import Cast
from tests.web.test_tokens_page import made, text_in

PAGES = ("/registries/team-a/harbor-prod/", "/registries/team-a/harbor-prod/password/")
HARBOR = ("harbor.example.com", "harbor.example.com:443")
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
    "%s",
)
PASSWORDS = (CANARY, r"p $x\y", ' "quoted" ', "%s%d", "-n", "密码", "\t&'", "x" * 200)
RECORDER = """#!/bin/bash
printf '%s\\0' "{name}" "$@" >> "$RECORDED"; printf '\\n' >> "$RECORDED"
{then}
"""
INPUT = """if [ "$1" = apply ]; then exec cat; fi; [ "$1" = get ] || cat"""
HEADERS = """for it in "$@"; do case $it in @body.json) ;; @*) cat "${it#@}";; esac; done"""


def run(line: str, typed: str, folder: Path) -> tuple[str, list[list[str]]]:
    """What a command prints in which `typed` is typed, and the arguments of all processes that it starts."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name, then in {
        "kubectl": INPUT,
        "curl": HEADERS,
        "base64": "",
        "tr": "",
        "printf": "",
        "env": "",
    }.items():
        real = "" if then else f'exec {shutil.which(name)} "$@"'
        (programs / name).write_text(RECORDER.format(name=name, then=then or real))
        (programs / name).chmod(0o755)
    recorded = folder / "recorded"
    recorded.write_text("")
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        input=f"{typed}\n".encode(),
        capture_output=True,
        check=True,
        timeout=60,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "RECORDED": str(recorded)},
    )
    assert ran.stderr.decode() in ("Password: \n", "Token: \n", ""), (
        "it says what it waits for, and nothing else"
    )
    started = [it.split("\0") for it in recorded.read_text().split("\0\n") if it]
    return ran.stdout.decode(), started


def exported(cast: Cast, page: str) -> list[str]:
    text = cast.htmx().get(page).content.decode()
    assert CANARY not in text
    return [html.unescape(it) for it in re.findall(r'data-copy="(\(printf &#x27;Password: [^"]+)"', text)]


def written(command: str, password: str, folder: Path) -> dict[str, Any]:
    """The entries of the pull secret that a command writes."""
    auths: dict[str, dict[str, str]] = json.loads(run(command, password, folder)[0])["auths"]
    assert all(entry.keys() == {"auth"} for entry in auths.values())
    return {key: base64.b64decode(entry["auth"]).decode() for key, entry in auths.items()}


@pytest.mark.parametrize("username", USERS)
def test_a_shell_reads_it_as_it_is_meant(cast: Cast, username: str, tmp_path: Path) -> None:
    cast.add(username=username)
    (command,) = exported(cast, PAGES[0])
    assert exported(cast, PAGES[1]) == [command]

    assert written(command, "p", tmp_path) == dict.fromkeys(HARBOR, f"{username}:p")


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_is_kept_as_it_was_typed(cast: Cast, password: str, tmp_path: Path) -> None:
    registry = cast.add()
    (command,) = exported(cast, PAGES[0])

    assert written(command, password, tmp_path) == dict.fromkeys(HARBOR, f"admin:{password}")
    patch = next(line for line in details_commands(registry, cast.access("nina")) if " patch " in line)
    assert json.loads(run(patch, password, tmp_path)[0]) == {"spec": {"password": encode_password(password)}}


KEYS = {
    "docker.io": ["https://index.docker.io/v1/", "docker.io"],
    "registry.example.com:5000": ["registry.example.com:5000"],
    "http://registry.example.com": ["registry.example.com", "registry.example.com:80"],
}


@pytest.mark.parametrize("domain", KEYS)
def test_the_keys_are_those_that_kubelets_look_for(cast: Cast, domain: str, tmp_path: Path) -> None:
    cast.add(domain=domain)
    (command,) = exported(cast, PAGES[0])

    assert list(written(command, "x", tmp_path)) == KEYS[domain]


def test_no_process_has_a_secret_among_its_arguments(cast: Cast, tmp_path: Path) -> None:
    """All commands of the pages that need one: `kubectl`, `curl`, and what they are joined with."""
    registry = cast.add()
    page = made(cast).content.decode()
    shown = cast.htmx().get(PAGES[0]).content.decode() + Client().get("/oapis/docs").content.decode()
    lines = [html.unescape(it) for it in re.findall(r'data-copy="((?:\(?printf|curl) [^"]+)"', shown + page)]
    lines.remove(ASK_TOKEN)  # it starts nothing, and shows nothing
    lines += [it for it in details_commands(registry, cast.access("nina")) if "PASSWORD" in it]
    assert len(lines) > 10
    forms = (
        CANARY,
        base64.b64encode(CANARY.encode()).decode(),
        base64.b64encode(f"admin:{CANARY}".encode()).decode(),
    )
    for line in lines:
        assert text_in(line) == "", "the token itself"
        told, started = run(f"TOKEN={CANARY}\n{line}", CANARY, tmp_path)
        assert any(form in told for form in forms), line
        assert started
        assert not [it for it in started if any(form in word for form in forms for word in it)], line


def test_the_answer_to_a_new_password_says_what_comes_first(cast: Cast) -> None:
    registry = cast.add()
    form = {"uid": registry.uid, "version": version_of(registry), "password": "another-1", "anyway": "1"}

    response = cast.htmx().post(PAGES[1], form)

    assert response.status_code == 204
    assert "\\u540a\\u9500" in response["HX-Trigger"], "吊销"
