"""The kubelet's choice of credentials: a table of known cases, and the kubelet's own code as the oracle."""

import json
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from registries.pull_secrets.explain import nearest_key
from registries.pull_secrets.matching import image_name, lookup, matches
from tests.peers.cost import processor_seconds
from tests.peers.parts import require_part

PLACE = Path("/usr/local/kubebuilder/bin/kubelet-matcher")
INSTALL = "run tests/peers/kube_apiserver.sh as root on Debian 12"

DIGEST = "sha256:" + "0" * 64

MATCHING = [
    *((key, "reg.io/a/b:1") for key in ("reg.io", "https://reg.io", "http://reg.io/", "reg.io/v2/")),
    *((key, "reg.io/a/b:1") for key in ("https://reg.io/v1/", "reg.io/a", "reg.io/a/", "reg.io/a/b", "*.io")),
    *((key, "nginx") for key in ("docker.io", "https://docker.io", "docker.io/library", "index.docker.io")),
    *((f"https://index.docker.io{path}", "a/b") for path in ("", "/", "/v1/", "/v2/")),
    ("reg.io/a", "reg.io/abc/x"),
    ("*.reg.io", "x.reg.io/a"),
    ("x*.reg.io", "xyz.reg.io/a"),
    ("x[w-y].reg.io", "xy.reg.io/a"),
    ("*.*", "reg.io/a"),
    ("*", "localhost/a"),
    ("docker.io", "index.docker.io/nginx"),
    ("reg.io:443", "reg.io:443/a"),
    ("user@reg.io", "reg.io/a"),
    ("reg.io/a?x", f"reg.io/a@{DIGEST}"),
    ("index.docker.io", "localhost/a"),
]
NOT_MATCHING = [
    *(
        (key, "reg.io/a/b:1")
        for key in ("https://reg.io/v2", "reg.io/a/*", "reg.io/a/b:1", "REG.IO", " reg.io")
    ),
    *(
        (key, "reg.io/a/b:1")
        for key in ("https://https://reg.io", "reg.io:443", "*", "*.*.io", "reg.io/b", "")
    ),
    *((key, "nginx") for key in ("https://index.docker.io/v1", "registry-1.docker.io", "hub.docker.com")),
    ("reg.io", "reg.io:443/x"),
    ("*.reg.io", "reg.io/a"),
    ("*.io", "x.reg.io/a"),
    ("*:*", "reg.io:5000/a"),
    ("reg.io:*", "reg.io:5000/a"),
    ("reg.io/a/", "reg.io/a"),
    ("[x-w]eg.io", "reg.io/a"),
    ("[.io", "reg.io/a"),
    ("[q-s]eg.io", "reg.io/a"),
    ("r[^x]g.io", "reg.io/a"),
    ("r[a-d]g.io", "reg.io/a"),
    ("reg.io/%", "reg.io/a"),
    ("re\tg.io", "reg.io/a"),
    ("docker.io", "localhost/a"),
    ("reg.io", "Reg/A"),
    ("docker.io", "a" * 64),
]


@pytest.mark.parametrize(("key", "image"), MATCHING)
def test_a_key_that_matches(key: str, image: str) -> None:
    assert matches([key], image) == [key]


@pytest.mark.parametrize(("key", "image"), NOT_MATCHING)
def test_a_key_that_matches_nothing(key: str, image: str) -> None:
    assert matches([key], image) == []


def test_the_longer_path_comes_first_and_a_pattern_last() -> None:
    keys = ["*.io", "reg.io", "reg.io/a", "https://reg.io/a/b"]

    assert matches(keys, "reg.io/a/b") == ["https://reg.io/a/b", "reg.io/a", "reg.io", "*.io"]
    assert lookup([{"reg.io": "first"}, {"reg.io/a": "second"}, {"reg.io": "third"}], "reg.io/a") == [
        "second",
        "first",
        "third",
    ]


def test_another_key_of_docker_hub_hides_the_one_of_docker_login() -> None:
    ours, theirs = {"https://index.docker.io/v1/": "ours"}, {"docker.io": "theirs"}

    assert lookup([ours, theirs], "nginx") == ["theirs"]
    assert lookup([{**ours, "docker.io": "ours"}, theirs], "nginx") == ["ours", "theirs"]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("a/b:1", "docker.io/a/b"),
        ("index.docker.io/nginx", "docker.io/library/nginx"),
        (f"reg.io:5000/a/b:1@{DIGEST}", "reg.io:5000/a/b"),
        ("localhost/a", "localhost/a"),
        ("REG.IO/a", "REG.IO/a"),
        ("a_b.io/x", "a_b.io/x"),
        ("[2001:db8::1]:5000/a", "[2001:db8::1]:5000/a"),
        *((it, None) for it in ("", "/", "reg.io/", "reg.io/A", "a..b/x", "a" * 64, "reg.io/a@sha256:00")),
        *((it, None) for it in ("reg.io/" + "a" * 249, "reg.io/a:" + "t" * 129, "nginx ", "nginx\n")),
    ],
)
def test_image_names(image: str, name: str | None) -> None:
    assert image_name(image) == name


@pytest.mark.parametrize(
    ("key", "image"),
    [
        ("*" * 5_000 + "!.io", "reg.io/a"),
        ("*a" * 5_000 + ".io", "a" * 200 + ".io/a"),
        ("[a-" * 20_000 + ".io", "reg.io/a"),
        ("a" + "[" * 60_000, "localhost/a"),
        ("a[b" * 20_000 + ".io", "reg.io/a"),
        ("*[" + "b" * 60_000 + "].io", "a" * 200 + ".io/a"),
        ("reg.io", "a" * 1_000_000 + "!"),
        ("reg.io", "a" * 250 + "!"),
        ("reg.io", "a-" * 500),
        ("%25" * 100_000, "reg.io/a"),
    ],
)
def test_hostile_texts_cost_little(key: str, image: str) -> None:
    assert matches([key], image) == []
    assert processor_seconds(lambda: matches([key], image)) < 0.5


def test_the_kubelets_own_code_agrees() -> None:
    """On the tables above, and on random keys and images in one to four Secrets."""
    program = require_part("kubelet-matcher", PLACE if PLACE.exists() else None, INSTALL)
    tables = [([{key: "0"}], image) for key, image in MATCHING + NOT_MATCHING]
    questions = tables + [_question(random.Random(seed)) for seed in range(4_000)]
    lines = "".join(json.dumps({"auths": auths, "image": image}) + "\n" for auths, image in questions)

    done = subprocess.run([program], input=lines.encode(), capture_output=True, check=True, timeout=60)

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(questions)
    wrong = [
        (auths, image, theirs, ours)
        for (auths, image), theirs in zip(questions, answers, strict=True)
        if (ours := lookup(auths, image)) != theirs
    ]
    assert wrong == []
    assert sum(bool(it) for it in answers) > 500


_HOSTS = (
    "reg.io reg.io:443 docker.io index.docker.io *.reg.io a.reg.io REG.IO registry-1.docker.io reg.io:5000 localhost "
    "localhost:5000 reg 10.0.0.1:5000 *.io * *.* x*.reg.io [a-r]eg.io [^x]eg.io r[e-a]g.io [ reg.io: reg.io:a *:* "
    "[::1]:5000 [::1] u:p@reg.io %41.io %2541.io r%C3%A9.io a_b.io reg..io .io reg.io. [[]eg.io r]eg.io [-a]eg.io "
    "*:5000 [*]eg.io **.io r*g.*o"
)
_SCHEMES = ("", "", "", "https://", "http://", "HTTPS://", "https://https://", "//", " ", "ftp://")
_PATHS = (
    "||||/|/v1/|/v2/|/v1|/v2|/a|/a/|/a/b|/a/*|/a/b:1|/library|/library/|/v1/a|//|/%61|/%|/%2561|/a?b|/a#b|/a#%|?x|#|"
    "/v1//|/v2/v1/| |/é|/a\t"
)
_IMAGES = (
    "reg.io/a/b:1 reg.io/a/b:1 a.reg.io/a nginx nginx reg.io:443/a/b docker.io/a/b library/nginx a/b docker.io/nginx "
    f"index.docker.io/nginx reg.io/abc/x reg.io/a@{DIGEST} reg.io/a@sha256:00 reg.io:5000/a localhost/a "
    f"localhost:5000/a/b 10.0.0.1:5000/a x.io/a REG.IO/a reg.io/A reg/a / reg.io/ {'a' * 64} a_b.io/x a__b/x a___b/x "
    "a--b/x a..b/x a.-b/x registry-1.docker.io/a reg.io:443/v1/a reg.io/v1/a reg.io/library/a:1.2-3_4 docker.io/library"
)


def _question(chance: random.Random) -> tuple[list[dict[str, str]], str]:
    """The `auths` of some Secrets, each with its number as the credential, and an image."""
    auths = [
        {_key(chance): str(number) for _ in range(chance.randint(1, 3))}
        for number in range(chance.randint(1, 4))
    ]
    usual = chance.random() < 0.9
    return auths, chance.choice(_IMAGES.split(" ")) if usual else _text(chance, "abA.:/@_-0r")


def _key(chance: random.Random) -> str:
    if chance.random() < 0.1:
        return _text(chance, "ab./:*[]-^%25@#?! rio")
    usual = chance.random() < 0.5
    host, path = _HOSTS.split(" "), _PATHS.split("|")
    chosen = chance.choice(host[: 5 if usual else None]), chance.choice(path[: 6 if usual else None])
    return chance.choice(_SCHEMES) + "".join(chosen)


def _text(chance: random.Random, characters: Sequence[str]) -> str:
    return "".join(chance.choice(characters) for _ in range(chance.randint(0, 14)))


KEYS_OF_A_SECRET = [
    [f"{'*a' * 300}b{number}.{'*a' * 50}.x.*" for number in range(1000)],
    [f"*{'[a-b]' * 200}{number}" for number in range(1000)],
    [f"{'*' * 1000}{number}" for number in range(1000)],
    [f"reg-{number}.example.com" for number in range(1000)] * 50,
    [f"reg.io:{number}/{'a/' * 400}" for number in range(1000)],
]


@pytest.mark.parametrize("keys", KEYS_OF_A_SECRET, ids=["stars", "ranges", "only-stars", "plain", "paths"])
@pytest.mark.parametrize(
    "image",
    [
        pytest.param(f"{'a' * 63}.{'a' * 63}.x.y/a", id="four-labels"),
        pytest.param(f"{'a' * 63}/a:1", id="one-label"),
        "reg.io/a",
        "nginx",
    ],
)
def test_secrets_full_of_keys_take_little_time(keys: list[str], image: str) -> None:
    secrets = [dict.fromkeys(keys[first : first + 1000], first) for first in range(0, len(keys), 1000)]
    secrets += [{f"{key}{number}": number for key in keys[:1000]} for number in range(3)]

    def compare() -> None:
        lookup(secrets, image)
        nearest_key((key for it in secrets for key in it), image)

    assert processor_seconds(compare) < 0.3
