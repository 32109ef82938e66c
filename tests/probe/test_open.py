"""Registries that answer everybody: the probe finds out whether the password was checked."""

from dataclasses import replace

import pytest

from registries.probe import Reason, probe
from tests.peers.scripted import HERE, Reply, Request, basic, registry_ok, scripted, unauthorized

USER, PASSWORD = "admin", "correct horse"


def careless(request: Request) -> Reply:
    return registry_ok()


def checking(request: Request) -> Reply:
    """Open to anonymous requests, but checks credentials that are sent (Artifactory)."""
    if request.authorization in (None, basic(USER, PASSWORD)):
        return registry_ok()
    return unauthorized('Basic realm="x"')


def test_a_registry_that_never_looks_is_a_success_with_a_warning() -> None:
    with scripted(careless) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert (result.reason, result.ok, result.proven) == (Reason.OK_UNVERIFIED, True, False)
    assert (result.requests, result.connections) == (3, 1)
    assert result.hint("zh").startswith("允许匿名访问")


def test_a_registry_that_refuses_a_random_user_proves_the_password() -> None:
    with scripted(checking) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
        wrong = probe(server.address, USER, "wrong", HERE)
    assert (result.reason, result.proven) == (Reason.OK, True)
    assert wrong.reason is Reason.BAD_CREDENTIALS


def test_the_negative_control_is_nobody_real() -> None:
    with scripted(careless) as server:
        probe(server.address, USER, PASSWORD, HERE)
        probe(server.address, USER, PASSWORD, HERE)
    sent = [a for a in server.authorizations() if a not in (None, basic(USER, PASSWORD))]
    assert len(set(sent)) == 2, "a new random user every time"
    assert not any(USER in (a or "") for a in sent)


def test_the_negative_control_can_be_turned_off() -> None:
    with scripted(checking) as server:
        result = probe(server.address, USER, PASSWORD, replace(HERE, negative_control=False))
    assert result.reason is Reason.OK_UNVERIFIED
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [429, 500, 302, 404])
def test_an_inconclusive_control_proves_nothing(status: int) -> None:
    def script(request: Request) -> Reply:
        if request.authorization in (None, basic(USER, PASSWORD)):
            return registry_ok()
        return Reply(status)

    with scripted(script) as server:
        assert probe(server.address, USER, PASSWORD, HERE).reason is Reason.OK_UNVERIFIED


def test_a_control_that_breaks_off_proves_nothing() -> None:
    def script(request: Request) -> Reply:
        if request.authorization in (None, basic(USER, PASSWORD)):
            return registry_ok()
        return Reply(raw=b"", close=True)

    with scripted(script) as server:
        assert probe(server.address, USER, PASSWORD, HERE).reason is Reason.OK_UNVERIFIED


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (unauthorized(), Reason.BAD_CREDENTIALS),
        (unauthorized("Basic"), Reason.BAD_CREDENTIALS),
        (unauthorized("Negotiate"), Reason.BAD_CREDENTIALS),
        (unauthorized('Bearer realm="/relative", Basic'), Reason.BAD_CREDENTIALS),
        (unauthorized('Bearer realm="/relative"'), Reason.BAD_CHALLENGE),
        (unauthorized("Basic", body=b"token expired"), Reason.CREDENTIALS_EXPIRED),
        (Reply(403), Reason.ACCESS_DENIED),
        (Reply(429), Reason.RATE_LIMITED),
        (Reply(503), Reason.SERVER_ERROR),
        (Reply(200, [], b"<html>"), Reason.NOT_A_REGISTRY),
    ],
)
def test_an_open_registry_may_still_refuse_the_password(reply: Reply, reason: Reason) -> None:
    with scripted(lambda request: reply if request.authorization else registry_ok()) as server:
        result = probe(server.address, USER, PASSWORD, HERE)
    assert result.reason is reason
    assert len(server.requests) == 2
