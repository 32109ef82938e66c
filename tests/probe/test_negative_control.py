"""Whether a token proves the password: the token service may also give one without credentials or to a random user."""

import base64
from dataclasses import replace

import pytest

from registries.probe import RealmMemory, Reason, probe
from tests.peers.scripted import (
    HERE,
    Reply,
    basic,
    json_reply,
)
from tests.peers.token_registry import (
    ANONYMOUS,
    PASSWORD,
    TOKEN,
    USER,
    TokenRegistry,
    query,
    run_probe,
    serving,
)


@pytest.mark.parametrize("anonymous", [Reply(401), Reply(403), Reply(400), json_reply({"token": ""})])
def test_no_anonymous_token_proves_the_password(anonymous: Reply) -> None:
    result, server = run_probe(TokenRegistry(anonymous=anonymous))
    assert (result.reason, len(server.requests)) == (Reason.OK, 5)
    assert "account" not in query(server.requests[3])


def test_an_anonymous_token_that_does_not_open_the_registry_proves_the_password() -> None:
    result, server = run_probe(TokenRegistry(anonymous=json_reply({"token": ANONYMOUS})))
    assert (result.reason, len(server.requests)) == (Reason.OK, 6)


def test_a_random_user_is_sent_when_the_anonymous_token_opens_the_registry() -> None:
    """Docker Hub gives tokens to everybody, but refuses a wrong password."""
    result, server = run_probe(
        TokenRegistry(anonymous=json_reply({"token": ANONYMOUS}), opening=(TOKEN, ANONYMOUS))
    )
    assert (result.reason, len(server.requests)) == (Reason.OK, 7)
    control = server.requests[5]
    assert control.authorization not in (None, basic(USER, PASSWORD))
    assert USER not in base64.b64decode((control.authorization or "").removeprefix("Basic ")).decode()
    assert query(control)["account"] != [USER], "a wrong password for the real name would lock the account"


@pytest.mark.parametrize(
    "wrong",
    [json_reply({"token": ANONYMOUS}), Reply(429), Reply(500), Reply(302), Reply(raw=b"", close=True)],
)
def test_a_random_user_who_is_accepted_or_not_answered_proves_nothing(wrong: Reply) -> None:
    """As with the ghost user of Gitea."""
    registry = TokenRegistry(
        anonymous=json_reply({"token": ANONYMOUS}), opening=(TOKEN, ANONYMOUS), wrong=wrong
    )
    result, _ = run_probe(registry)
    assert (result.reason, result.ok, result.proven) == (Reason.OK_UNVERIFIED, True, False)


@pytest.mark.parametrize("anonymous", [Reply(500), Reply(429), Reply(302), Reply(raw=b"", close=True)])
def test_after_an_unclear_anonymous_answer_the_random_user_decides(anonymous: Reply) -> None:
    assert run_probe(TokenRegistry(anonymous=anonymous))[0].reason is Reason.OK
    careless = TokenRegistry(anonymous=anonymous, wrong=json_reply({"token": TOKEN}))
    assert run_probe(careless)[0].reason is Reason.OK_UNVERIFIED


def test_without_the_negative_control_an_open_realm_is_unverified() -> None:
    policy = replace(HERE, negative_control=False)
    registry = TokenRegistry(anonymous=json_reply({"token": ANONYMOUS}), opening=(TOKEN, ANONYMOUS))
    result, server = run_probe(registry, policy=policy)
    assert (result.reason, len(server.requests)) == (Reason.OK_UNVERIFIED, 6)
    assert run_probe(TokenRegistry(), policy=policy)[0].reason is Reason.OK


def test_a_realm_that_refuses_strangers_is_remembered_for_a_day() -> None:
    now = [0.0]
    policy = replace(HERE, memory=RealmMemory(clock=lambda: now[0]))
    with serving(TokenRegistry()) as server:
        assert probe(server.address, USER, PASSWORD, policy).requests == 5
        assert probe(server.address, USER, PASSWORD, policy).requests == 3
        assert probe(server.address, USER, "wrong", policy).reason is Reason.BAD_CREDENTIALS
        now[0] = 86_400.0
        assert probe(server.address, USER, PASSWORD, policy).requests == 5


def test_only_what_refuses_strangers_is_remembered() -> None:
    memory = RealmMemory()
    registry = TokenRegistry(anonymous=json_reply({"token": TOKEN}), wrong=json_reply({"token": TOKEN}))
    with serving(registry) as server:
        for requests in (7, 6):
            result = probe(server.address, USER, PASSWORD, replace(HERE, memory=memory))
            assert (result.reason, result.requests) == (Reason.OK_UNVERIFIED, requests)
    assert len(memory) == 1, "only the answer to a POST"


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    memory = RealmMemory(size=2)
    for name in "abc":
        memory.remember((name, "realm", "service"))
    assert [memory.checks_credentials((name, "realm", "service")) for name in "abc"] == [False, True, True]
    memory.forget(("b", "realm", "service"))
    assert len(memory) == 1
