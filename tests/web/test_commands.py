"""The commands and the YAML that pages show, with whatever people typed: a real shell gives kubectl the words that were
meant and starts nothing else; other readers of YAML than ours find the same texts."""

import base64
import html
import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import override
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from registries.domain.access import Access
from registries.domain.errors import Problem
from registries.domain.reading import to_domain
from registries.domain.registry import Draft, Key, Provider, RegistrySecret
from registries.domain.resource import PREFIX, new_resource
from registries.domain.shown import NOT_VALID, shown_username
from registries.intake import information_causes
from registries.probe.credentials import CredentialsError, check_credentials
from registries.pull_secrets.images import auths_keys
from registries.templatetags.console import (
    command_as_code,
    listed,
    moment,
    whole_dates,
    whole_hosts,
    whole_names,
    whole_options,
)
from registries.web.pulls import step
from registries.web.registry.details import as_yaml, commands
from registries.words import log_in, problems
from tests.cast import ROLES
from tests.examples import of
from tests.peers.parts import require_part

MARKED = re.compile(r'<span class="unbroken">([^<]*)</span>')
SPECIAL = "'\"`$(){}[]<>|&;#%*!?~\\/=@^,+_ \t\r\n\x7f\x85\u202e\u2028\u00a0\ufeffé中aA0.-"
ODD = (
    "$(touch x)",
    "a\x85\u2028\nb",
    "`touch x`",
    "-n",
    "--help",
    "%s%n",
    "EOF",
    "\nEOF\ntouch x\n",
    "'; touch x; '",
    "\\u0041",
)
TEXTS = st.one_of(
    st.text(SPECIAL, max_size=20),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20),
    st.sampled_from(ODD),
)
ONE_LINE = TEXTS.filter(lambda it: "\n" not in it)
NUMBERS = st.from_regex(
    r"[-+]?[0-9_.]{1,4}([eE][-+]?[0-9_]{1,3})?|0[xXoObB][0-9a-fA-F_]{1,4}", fullmatch=True
)
NO_TEXTS = (
    "y",
    "N",
    "yes",
    "On",
    "~",
    "null",
    "08",
    "1e5",
    "0o17",
    "0x1F",
    ".inf",
    "1:20",
    "2001-1-1",
    "<<",
    "=",
)
KUBECTL = "kubectl() { printf '%s\\0' \"$@\"; printf '\\1'; cat; printf '\\2'; }\n"
"""A kubectl that prints its words, and then its input."""
ADMIN = Access.from_grants("olive", [ROLES["olive"]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


def ran(folder: Path, line: str, typed: str = "") -> tuple[list[str], str]:
    """The words that the last kubectl of a command gets in bash, and its input. `typed` is what a person types."""
    subprocess.run(["bash", "-n"], input=line.encode(), check=True, capture_output=True)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", KUBECTL + line],
        input=typed.encode(),
        capture_output=True,
        cwd=folder,
        check=False,
    )
    said = b"Password: \n" if line.startswith("(printf 'Password: '") else b""
    assert (done.returncode, done.stderr, [*folder.iterdir()]) == (0, said, []), (line, done.stderr)
    words, _, given = done.stdout.decode().removesuffix("\2").partition("\1")
    return words.split("\0")[:-1], given


@settings(max_examples=of(120))
@given(words=st.lists(TEXTS, max_size=4))
def test_kubectl_gets_each_word_as_it_is(folder: Path, words: list[str]) -> None:
    assert ran(folder, step.kubectl("team-a", *words))[0] == ["-n", "team-a", *words]


def registry(texts: dict[str, str], username: str = "robot", note: str = "") -> RegistrySecret:
    """A registry with these editable texts, and an annotation of somebody else."""
    notes = {"example.com/note": note}
    draft = Draft(
        Key("team-a", "x"), "reg.io", username, Provider.OTHER, "canary-1", annotations=notes, **texts
    )
    return to_domain(new_resource(draft))


@settings(max_examples=of(120))
@given(display=TEXTS, description=TEXTS, note=TEXTS, password=ONE_LINE.filter(bool))
@example("It's", "\nEOF\ntouch x\n", "\u202eEOF", " \\$x` ")
def test_the_commands_of_a_registry_hold_its_texts(
    folder: Path, display: str, description: str, note: str, password: str
) -> None:
    texts = {"display_name": display, "description": description}
    assume(not information_causes(texts))
    found = registry(texts, note=note)
    _get, *annotate, create, patch, delete = (
        (*ran(folder, line, f"{password}\n"), line) for line in commands(found, ADMIN)
    )

    named = [f"{PREFIX}{name.replace('_', '-')}={text}" for name, text in texts.items() if text]
    assert [it[0][:1] + it[0][6:] for it in annotate] == ([["annotate", *named]] if named else [])
    made = yaml.safe_load(create[1])
    encoded = base64.b64encode(password.encode()).decode()
    assert made["spec"] == {**made["spec"], "username": "robot", "password": encoded}
    wanted = {f"{PREFIX}{name.replace('_', '-')}": text for name, text in texts.items() if text}
    assert made["metadata"]["annotations"] == {
        **made["metadata"]["annotations"],
        **wanted,
        "example.com/note": note,
    }
    assert not set("\u202e\u2066") & set(create[2])
    assert base64.b64decode(json.loads(patch[1])["spec"]["password"]).decode() == password
    assert delete[0][0] == "delete"


@settings(max_examples=of(120))
@given(
    username=ONE_LINE,
    password=ONE_LINE,
    host=st.sampled_from(("reg.io", "docker.io", "[::1]:5000", "http://x")),
)
def test_a_pull_secret_is_written_for_whatever_user_name(
    folder: Path, username: str, password: str, host: str
) -> None:
    try:
        check_credentials(username, password)
    except CredentialsError:
        assume(False)
    found = replace(registry({}), domain=host, username=shown_username(username))
    line = step.pull_secret_command(found)
    if found.username == NOT_VALID:
        assert line == "", "not a user name that is only shown"
        return
    words, given = ran(folder, line, f"{password}\n")

    assert words == ["apply", "--server-side", "-f", "-"]
    created, _, config = given.removesuffix("\2").partition("\1")
    assert created.startswith("create\0secret\0generic\0x\0-n\0team-a\0")
    auths = json.loads(config)["auths"]
    pairs = {host: base64.b64decode(it["auth"]).decode() for host, it in auths.items()}
    assert pairs == dict.fromkeys(auths_keys(host), f"{username}:{password}")


@settings(max_examples=of(8))
@given(st.lists(st.one_of(TEXTS, NUMBERS, st.sampled_from(NO_TEXTS)), min_size=30, max_size=60))
@example([*NO_TEXTS, *ODD])
def test_kubectl_reads_the_yaml_as_texts(texts: list[str]) -> None:
    """It takes more for numbers than Python's reader does."""
    require_part("kubectl")
    notes = {f"n{number}": text for number, text in enumerate(texts)}
    document: Any = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "annotations": notes}}
    shown = as_yaml(replace(registry({}), document=json.dumps({**document, "spec": {}}).encode()))
    assert yaml.safe_load(shown)["metadata"]["annotations"] == notes
    line = ["kubectl", "label", "--local", "-f", "-", "-o", "json", "a=b"]
    read = subprocess.run(line, input=shown.encode(), capture_output=True, check=True).stdout

    assert json.loads(read)["metadata"]["annotations"] == notes


def test_the_file_of_a_long_name_fits_into_a_file_system() -> None:
    for names in (("a" * 63, "b" * 253), ("a" * 63, "b" * 252 + "c"), ("team-a", "web")):
        line = step.restart(names[0], (step.BARE, ""), names[1])
        file = line.partition("> ")[2].partition(" ")[0]
        assert len(file) <= 255
        assert line.count(file) == 3


def test_a_command_goes_on_in_the_next_line_between_its_words() -> None:
    command = "kubectl -n team-a create --dry-run=server -f - && cat a-b > 'c-d'"

    shown = whole_options(command)

    words = ["-n", "team-a", "--dry-run=server", "-f", "a-b", "&#x27;c-d&#x27;"]
    assert MARKED.findall(shown) == words
    assert MARKED.sub(r"\1", shown) == html.escape(command)
    assert not MARKED.search(whole_options(f"--{'x' * 40}")), "it is wider than a phone"
    assert MARKED.findall(whole_options(f"-o custom-columns=N:{'x' * 40}")) == ["-o", "custom-columns="]
    assert whole_options("curl @f/g 'http://a/b'") == ("curl @f/g &#x27;http://a/<wbr>b&#x27;")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_command_of_each_problem_is_code(language: str) -> None:
    with override(language):
        texts = [str(it) for it in (*problems.TEXTS.values(), *log_in.TEXTS.values())]
    naming = [it for it in texts if re.search(r"[:：] ?(?:kubectl|openssl|manage\.py) ", it)]
    assert len(naming) == 6
    for text in naming:
        begin, code, rest = re.split("<code>(.*)</code>", command_as_code(text))
        assert html.unescape(begin + MARKED.sub(r"\1", code) + rest) == text
        assert code.startswith(("kubectl ", "manage.py "))
        assert rest == ""


def test_nothing_else_in_a_sentence_becomes_a_tag() -> None:
    bad = "<b>x</b>: kubectl <img src=x>"
    assert command_as_code(bad) == html.escape(bad)
    assert command_as_code("<b>: kubectl get x") == "&lt;b&gt;: <code>kubectl get x</code>"
    for text in ("Use kubectl to get it", "of a host: kubectl", "x: kubectl get x. Then y", "x：rm -r /"):
        assert command_as_code(text) == text
    assert command_as_code(SafeString("<b>x</b>: kubectl get x")) == "<b>x</b>: <code>kubectl get x</code>"


def test_errors_show_their_command_as_code() -> None:
    text = str(problems.TEXTS[Problem.CRD_MISSING])
    for template in ("_problem.html", "_error.html", "_away.html"):
        shown = render_to_string(
            template, {"problem": text, "text": text, "away": {"text": text}, "status": 503}
        )
        assert "<code>manage.py crd" in shown


def test_a_date_stays_in_one_line() -> None:
    """The time may stand in the next one: a narrow column of the journal has two lines for both."""
    dates = MARKED.findall(whole_dates("Silenced until 2026-12-01 06:08, since 2026-11-28."))
    assert dates == ["2026-12-01", "2026-11-28"]
    shown = moment(datetime(2026, 12, 1, 6, 8, 37, tzinfo=UTC))
    assert re.search(r'"><span class="unbroken">2026-12-01</span> \d\d:08:37 UTC', shown)


def test_the_names_in_a_sentence_stay_in_one_line() -> None:
    text = "Of a-b.example.com/c-d and e-f:5000, the pull secret harbor-prod names <b> team-a:"

    assert MARKED.findall(whole_names(text)) == ["harbor-prod", "team-a"]
    assert "<b>" not in whole_names(text)
    assert not MARKED.search(whole_names("x-" * 20 + "x"))
    assert MARKED.findall(listed(["team-a", "default", "team-b"])) == ["team-a", "team-b"]
    assert MARKED.sub(r"\1", listed(["team-a", "default"])) == "team-a、default"


def test_hosts_with_a_hyphen_in_what_a_node_said_stay_in_one_line() -> None:
    said = f'Get "https://registry-1.docker.io/v2/": lookup a-b.example.com:5000: no such host {"x-" * 40}<b>'

    assert MARKED.findall(whole_hosts(said)) == ["registry-1.docker.io", "a-b.example.com:5000:"]
    assert "<b>" not in whole_hosts(said)
