"""What is wrong with a Secret that kubelets cannot read, and the credentials of one that they can."""

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from registries.pull_secrets.explain import Code, Flaw, SecretState, Waiting, explain
from registries.pull_secrets.failing import credentials_in, read_secret
from registries.words.names import named
from registries.words.pull_failures import FLAWS, reason
from tests.canary import CANARY

CONFIG, OLD = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"
GOOD = {"username": "u", "password": CANARY}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(content: Any, kind: str = CONFIG) -> dict[str, Any]:
    """A Secret with this text, or this value as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    return {"type": kind, "data": {".dockercfg" if kind == OLD else ".dockerconfigjson": encoded(text)}}


CASES = [
    ("", Flaw.JSON, ""),
    ("{", Flaw.JSON, ""),
    ("[" * 100_000, Flaw.JSON, ""),
    ({"auths": []}, Flaw.AUTHS, ""),
    ({"auths": "a"}, Flaw.AUTHS, ""),
    ({"auths": 1}, Flaw.AUTHS, ""),
    ('{"auths":{}, "AUTHS": 1}', Flaw.AUTHS, ""),
    ({"auths": {"a.io": GOOD}, "HttpHeaders": {"X-Meta": 5}}, Flaw.HEADERS, ""),
    ({"auths": {"a.io": GOOD}, "httpheaders": []}, Flaw.HEADERS, ""),
    ('{"auths": {"a.io": {"username": "u", "Username": 5}}}', Flaw.ENTRY, "a.io"),
    ({"auths": {"a.io": []}}, Flaw.ENTRY, "a.io"),
    ({"auths": {"a.io": CANARY}}, Flaw.ENTRY, "a.io"),
    ({"auths": {"a.io": GOOD, "b.io": {"username": 5}}}, Flaw.ENTRY, "b.io"),
    ({"auths": {"b.io": {"password": ["x"]}}}, Flaw.ENTRY, "b.io"),
    ({"auths": {"b.io": {"auth": {}}}}, Flaw.ENTRY, "b.io"),
    ({"auths": {"b.io": {"email": 1}}}, Flaw.ENTRY, "b.io"),
    ({"auths": {"b.io": {"auth": "%%%"}}}, Flaw.BASE64, "b.io"),
    ({"auths": {"b.io": {"auth": CANARY}}}, Flaw.BASE64, "b.io"),
    ({"auths": {"b.io": {"auth": encoded("robot")}}}, Flaw.COLON, "b.io"),
    ({"auths": {"a.io": GOOD, "b.io": {"auth": encoded(CANARY)}}}, Flaw.COLON, "b.io"),
]


@pytest.mark.parametrize(("content", "flaw", "key"), CASES)
def test_the_flaw_and_its_entry_are_named(content: Any, flaw: Flaw, key: str) -> None:
    found = read_secret("s", secret(content))

    assert (found.state, found.flaw, found.flawed) == (SecretState.BROKEN, flaw, key)
    assert credentials_in(secret(content)) == ()
    waiting = Waiting("c", "b.io/app:1", "ErrImagePull", "illegal base64 data")
    explanation = explain(waiting, [found], [], datetime.now(UTC))
    assert (explanation.code, explanation.flaw, explanation.key) == (Code.SECRET_BROKEN, flaw, key)
    for language in ("en", "zh-hans"):
        with translation.override(language):
            text = reason(explanation)
            assert named({"key": key}, FLAWS[flaw]) in text
            assert CANARY not in text


@pytest.mark.parametrize(
    ("content", "flaw", "key"), [it for it in CASES if it[1] is not Flaw.HEADERS and isinstance(it[0], dict)]
)
def test_the_older_type_has_the_same_flaws(content: Any, flaw: Flaw, key: str) -> None:
    found = read_secret("s", secret(json.dumps(content["auths"]), OLD))

    assert (found.state, found.flaw, found.flawed) == (SecretState.BROKEN, flaw, key)


def test_each_flaw_has_a_case_and_words() -> None:
    assert {flaw for _, flaw, _ in CASES} == set(Flaw) == set(FLAWS)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"auths": {}},
        {"auths": None},
        {"auths": {"a.io": None}},
        {"auths": {"a.io": {}}},
        {"auths": {"a.io": GOOD}},
        {"auths": {"a.io": GOOD}, "HttpHeaders": {"X-Meta": "x", "X-None": None}},
        {"auths": {"a.io": GOOD}, "HttpHeaders": None},
        {"auths": {"a.io": {**GOOD, "identitytoken": 5}}, "credHelpers": []},
        "null",
    ],
)
def test_what_kubelets_read_has_no_flaw(content: Any) -> None:
    found = read_secret("s", secret(content))

    assert (found.state, found.flaw, found.flawed) == (SecretState.READABLE, None, "")


@pytest.mark.parametrize(
    ("auths", "taken"),
    [
        ({"a.io": GOOD}, [("a.io", "a.io", "u", CANARY)]),
        ({"https://a.io/v1/": GOOD}, [("https://a.io/v1/", "a.io", "u", CANARY)]),
        ({"a.io/x": GOOD}, [("a.io/x", "a.io", "u", CANARY)]),
        ({"a.io:5000": GOOD}, [("a.io:5000", "a.io:5000", "u", CANARY)]),
        ({"a.io": {"auth": encoded("v:a:b")}}, [("a.io", "a.io", "v", "a:b")]),
        ({"a.io": {**GOOD, "auth": encoded("v:w")}}, [("a.io", "a.io", "v", "w")]),
        ({"a.io": {**GOOD, "auth": encoded("v:")}}, []),
        ({"a.io": {"auth": base64.b64encode(b"v:\xff\xfe").decode()}}, []),
        ({"a.io": {"username": "u"}}, []),
        ({"a.io": {"password": "p"}}, []),
        ({"*.a.io": GOOD}, []),
        ({"https://index.docker.io/v1/": GOOD}, [("https://index.docker.io/v1/", "docker.io", "u", CANARY)]),
        ({"": GOOD, "a b": GOOD, "https://https://a.io": GOOD}, []),
    ],
)
def test_the_credentials_are_those_that_kubelets_use(auths: Any, taken: list[tuple[str, ...]]) -> None:
    for content in (secret({"auths": auths}), secret(auths, OLD)):
        found = credentials_in(content)
        assert [(it.key, it.host, it.username, it.password) for it in found] == taken
        assert CANARY not in repr(found)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"Auths": {"a.io": {"Auth": "dTpw"}}}', [("a.io", "u")]),
        ('{"AUTHS": {"a.io": {"USERNAME": "u", "Password": "p"}}}', [("a.io", "u")]),
        ('{"auth\u017f": {"a.io": {"u\u017fername": "u", "password": "p"}}}', [("a.io", "u")]),
        ('{"auths": {"a.io": {"auth": "dTpw"}}, "auths": {"b.io": {}}}', [("a.io", "u"), ("b.io", "")]),
        ('{"auths": {"a.io": {}}, "Auths": {"a.io": {"auth": "dTpw"}}}', [("a.io", "u")]),
        ('{"auths": {"a.io": {}}, "auths": null}', []),
        ('{"auths": {"a.io": {"username": "x", "Username": "u", "password": "p"}}}', [("a.io", "u")]),
        ('{"auths": {"a.io": {"username": "u", "Username": null, "password": "p"}}}', [("a.io", "u")]),
        (b'{"auths": {"a.io": {"username": "u", "password": "p\xe4ss"}}}', [("a.io", "u")]),
        (b'{"auths": {"b\xfcro.io": {"username": "u", "password": "p"}}}', [("b\ufffdro.io", "u")]),
        ('{"auths": {"a.io": {"username": "u", "password": "\\ud800"}}}', [("a.io", "u")]),
    ],
)
def test_json_is_read_as_go_reads_it(content: str | bytes, expected: list[tuple[str, str]]) -> None:
    """The results are those of Go 1.19 with the types of the kubelet."""
    text = content if isinstance(content, bytes) else content.encode()
    given = {"type": CONFIG, "data": {".dockerconfigjson": base64.b64encode(text).decode()}}

    found = read_secret("s", given)

    assert found.state is SecretState.READABLE
    assert list(zip(found.keys, found.users, strict=True)) == expected
    assert all("\ufffd" not in it.password for it in credentials_in(given))


def test_many_maps_in_one_secret_cost_little() -> None:
    entries = ",".join(f'"h{number}.io":{{}}' for number in range(20_000))
    content = f'{{"auths":{{{entries}}}' + ',"auths":{}' * 30_000 + "}"
    begun = time.process_time()

    assert len(read_secret("s", secret(content)).keys) == 1_000
    assert time.process_time() - begun < 2.0


def test_a_secret_of_another_type_has_no_credentials() -> None:
    assert credentials_in({**secret({"auths": {"a.io": GOOD}}), "type": "Opaque"}) == ()
    assert credentials_in({}) == ()


_VALUES = st.none() | st.text(max_size=5) | st.integers() | st.just(encoded("u:p"))
_ENTRIES = st.dictionaries(st.sampled_from(["username", "password", "auth", "email"]), _VALUES)


@given(st.dictionaries(st.sampled_from(["a.io", "b.io:1", "*", "https://c.io/v2/"]), _ENTRIES))
def test_both_readers_agree(auths: dict[str, Any]) -> None:
    """What can be adopted has a user in what a scan shows, and a Secret is broken for both or for none."""
    found, taken = read_secret("s", secret({"auths": auths})), credentials_in(secret({"auths": auths}))
    users = dict(zip(found.keys, found.users, strict=True))

    assert all(users[it.key] == it.username for it in taken)
    assert (found.flaw is not None) is (found.state is SecretState.BROKEN)
    assert not taken or found.state is SecretState.READABLE
