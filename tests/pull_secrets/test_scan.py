"""What a scan says of the Secrets of a namespace: from their keys and user names alone."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from registries.domain.registry import Key, Provider, RegistrySecret
from registries.pull_secrets.explain import PodSecret, SecretState
from registries.pull_secrets.failing import read_secret
from registries.pull_secrets.in_use import Everywhere, of_everywhere
from registries.pull_secrets.matching import host_of_key
from registries.pull_secrets.named import LISTED, Named
from registries.pull_secrets.scan import (
    MOST_KEYS,
    Finding,
    InUse,
    Scanned,
    comparable,
    scan,
    unused,
)
from tests.canary import CANARY

NOW = datetime(2026, 11, 28, tzinfo=UTC)
HUB, HUB_LOGIN = "docker.io", "https://index.docker.io/v1/"


def registry(name: str, address: str = "reg.io", username: str = "u") -> RegistrySecret:
    return RegistrySecret(Key("ns", name), name, "1", NOW, address, username, Provider.OTHER)


def readable(name: str, **users: str) -> PodSecret:
    """A Secret with these keys, written with _ for the dot."""
    keys = tuple(key.replace("_", ".") for key in users)
    return PodSecret(name, SecretState.READABLE, keys, tuple(users.values()))


def of_keys(name: str, *keys: str, user: str = "u") -> PodSecret:
    return PodSecret(name, SecretState.READABLE, keys, (user,) * len(keys))


def scanned(
    *secrets: PodSecret, registries: tuple[RegistrySecret, ...] = (), apart: bool = False
) -> dict[str, Scanned]:
    """The scan of one pod that names all of them; `apart`: of a pod for each."""
    names = [it.name for it in secrets]
    together = {frozenset([it]) for it in names} if apart else {frozenset(names)}
    in_use = InUse({it: [("Pod", "p")] for it in names}, together, set(names))
    found = scan("ns", in_use, {it.name: it for it in secrets}, registries)
    return {it.key.name: it for it in found}


def test_who_names_a_secret_is_in_the_order_of_names() -> None:
    """An API server lists objects in any order."""
    pods = [
        Named(it, frozenset({"x"}), frozenset(), "default", frozenset(), False, False, "ns") for it in "bca"
    ]
    known = {"Pod": Everywhere.of_list(pods, None)}

    found, _ = of_everywhere({kind: known.get(kind, Everywhere()) for kind in LISTED}, ["ns"])

    assert found["ns"].users == {"x": [("Pod", "a"), ("Pod", "b"), ("Pod", "c")]}


@pytest.mark.parametrize(
    ("state", "finding"),
    [
        (SecretState.BROKEN, Finding.BROKEN),
        (SecretState.MISSING, Finding.MISSING),
        (SecretState.WRONG_TYPE, Finding.WRONG_TYPE),
        (SecretState.UNREAD, Finding.UNREAD),
    ],
)
def test_a_secret_without_keys_has_one_finding(state: SecretState, finding: Finding) -> None:
    found = scanned(PodSecret("a", state), PodSecret("b", state), registries=(registry("a"),))

    assert {name: it.findings for name, it in found.items()} == {"a": (finding,), "b": (finding,)}
    assert (found["a"].registry, found["b"].registry) == (Key("ns", "a"), None)


def test_a_secret_of_which_not_all_was_compared_is_said() -> None:
    cut = replace(of_keys("a", "reg.io"), cut=True)

    assert scanned(cut, registries=(registry("a"),))["a"].findings == (Finding.CUT,)
    assert scanned(cut)["a"].findings == (Finding.CUT, Finding.FOREIGN)


def test_a_secret_that_was_not_read_is_said() -> None:
    found = scan("ns", InUse({"a": []}), {}, ())

    assert [it.findings for it in found] == [(Finding.UNREAD,)]


@pytest.mark.parametrize("key", [HUB, f"https://{HUB}", f"{HUB}/library", "*.io"])
@pytest.mark.parametrize(
    "login", [HUB_LOGIN, "index.docker.io", "https://index.docker.io/", "https://index.docker.io/v2/"]
)
def test_the_key_of_docker_login_is_shadowed_by_every_other_key_of_docker_hub(key: str, login: str) -> None:
    pair = of_keys("a", login), of_keys("b", key, user="other")
    for order in permutations(pair):
        found = scanned(*order)
        assert Finding.SHADOWED in found["a"].findings
        assert found["a"].shadowed_by == ("b",)
        assert Finding.SHADOWED not in found["b"].findings
    assert Finding.SHADOWED not in scanned(*pair, apart=True)["a"].findings


@pytest.mark.parametrize("keys", [(HUB_LOGIN,), (HUB_LOGIN, HUB), (HUB,), ("reg.io",)])
@pytest.mark.parametrize("other", ["reg.io", "https://index.docker.io/v1", "registry-1.docker.io"])
def test_nothing_else_is_shadowed(keys: tuple[str, ...], other: str) -> None:
    found = scanned(of_keys("a", *keys), of_keys("b", other))

    assert [it.shadowed_by for it in found.values()] == [(), ()]


SAME = [
    ("reg.io", "https://reg.io"),
    ("reg.io", "http://reg.io/v2/"),
    (HUB, HUB_LOGIN),
    ("r.io:5000", "r.io:5000"),
]
OTHERS = [("reg.io", "reg.io:443"), ("reg.io", "REG.io"), ("reg.io", "x.reg.io"), (HUB, "hub.docker.com")]


@pytest.mark.parametrize(("keys", "same"), [(it, True) for it in SAME] + [(it, False) for it in OTHERS])
def test_the_same_host_and_user_name_are_a_duplicate(keys: tuple[str, str], same: bool) -> None:
    found = scanned(of_keys("a", keys[0]), of_keys("b", keys[1]), apart=True)
    other_user = scanned(of_keys("a", keys[0]), of_keys("b", keys[1], user="v"), apart=True)

    assert (found["a"].same, found["b"].same) == ((("b",), ("a",)) if same else ((), ()))
    assert not any(Finding.DUPLICATE in it.findings for it in other_user.values())


def test_a_registry_counts_as_a_duplicate_before_it_is_in_use() -> None:
    found = scanned(of_keys("a", "reg.io"), registries=(registry("ours"), registry("else", "other.io")))

    assert (found["a"].findings, found["a"].same) == ((Finding.DUPLICATE,), ("ours",))


def test_what_belongs_to_no_registry_can_be_adopted() -> None:
    secret = readable("a", reg_io="u", new_io="robot", docker_io="me")
    found = scanned(secret, registries=(registry("ours"),))

    assert found["a"].unclaimed == (("new.io", "robot"), ("docker.io", "me"))
    assert Finding.FOREIGN in found["a"].findings


def test_our_own_secret_has_no_finding_and_somebody_elses_of_that_name_has() -> None:
    own = registry("a")

    assert scanned(of_keys("a", "reg.io", "reg.io:443"), registries=(own,))["a"].findings == ()
    foreign = scanned(of_keys("a", "else.io"), registries=(own,))["a"]
    assert (foreign.findings, foreign.registry) == ((Finding.FOREIGN,), None)


def test_the_empty_secret_of_a_registry_without_a_valid_address_is_our_own() -> None:
    own = registry("a", "*.reg.io")

    assert scanned(of_keys("a"), registries=(own,))["a"].registry == own.key
    assert scanned(of_keys("a", "else.io"), registries=(own,))["a"].findings == (Finding.FOREIGN,)


@pytest.mark.parametrize("key", ["", "*.io", "*", "[a-z].io", "http://%zz", "https://https://reg.io", "reg"])
def test_a_key_without_a_host_is_not_offered(key: str) -> None:
    assert scanned(of_keys("a", key))["a"].unclaimed == ()


def test_unused_are_those_that_nothing_mentions_and_only_if_all_was_read() -> None:
    registries = [registry("used"), registry("mentioned"), registry("unused")]
    in_use = InUse({"used": [("Pod", "p")]}, mentioned={"used", "mentioned"})

    assert [it.name for it in unused(in_use, registries)] == ["unused"]
    in_use.unread.append("Pod")
    assert unused(in_use, registries) == []


def pair(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entry", "user"),
    [
        ({"username": "u", "password": CANARY}, "u"),
        ({"auth": pair(f"u:{CANARY}")}, "u"),
        ({"auth": pair(f"u:{CANARY}").rstrip("=")}, "u"),
        ({"username": "old", "password": "x", "auth": pair(f"u:{CANARY}:b")}, "u"),
        ({"username": CANARY, "password": ""}, ""),
        ({"username": CANARY}, ""),
        ({"auth": pair(f"{CANARY}:")}, ""),
        ({"username": "u" * 256, "password": CANARY}, ""),
        ({"password": CANARY}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_of_a_credential_only_the_user_name_is_kept(entry: Any, user: str) -> None:
    config = base64.b64encode(json.dumps({"auths": {"reg.io": entry}}).encode()).decode()
    read = read_secret("a", {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": config}})

    assert (read.keys, read.users) == (("reg.io",), (user,))
    assert CANARY not in repr(read)


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("reg.io", "reg.io"),
        ("https://reg.io:5000/a", "reg.io:5000"),
        (HUB_LOGIN, HUB),
        ("[::1]:5000", "[::1]:5000"),
        ("*.io", ""),
        ("http://%zz", ""),
    ],
)
def test_the_host_of_a_key(key: str, host: str) -> None:
    assert host_of_key(key) == host


def test_huge_secrets_are_left_out_and_hide_no_other() -> None:
    def with_keys(name: str, keys: int) -> tuple[Key, PodSecret]:
        hosts = tuple(f"h{number}.example.com" for number in range(keys))
        return Key("team-a", name), PodSecret(name, SecretState.READABLE, hosts)

    huge = [with_keys(f"a-{number}", 1000) for number in range(30)]
    small = [with_keys("small", 2), (Key("team-a", "missing"), PodSecret("missing", SecretState.MISSING))]

    kept = comparable(dict([*huge, *small]))

    assert {key.name for key, _ in small} <= {key.name for key, it in kept.items() if not it.cut}
    assert {it.cut for key, it in kept.items() if not it.keys and key.name.startswith("a")} == {True}
    assert MOST_KEYS - 1000 < sum(len(it.keys) for it in kept.values()) <= MOST_KEYS
