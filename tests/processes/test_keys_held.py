"""A process that stops in the middle of a write of a password, while the keys are rotated."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from console import datadir
from registries.events.channels import opened
from registries.models import Channel, Run, RunItem
from registries.stores import sealing
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast
from tests.peers.scripted import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
LONG, SHORT = 60, 0.3
"""Seconds. Only a defect takes the long time; a rotation that does not wait takes less than the short one."""
URL = "https://oapi.dingtalk.com/robot/send?access_token=secret-token"


@contextmanager
def stopped(write: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """Somebody has written and not committed. Gives what lets this transaction go on."""
    written, released = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                write()
                written.set()
                released.wait(LONG)
        finally:
            written.set()
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert written.wait(LONG)

    def release() -> None:
        released.set()
        thread.join(LONG)

    try:
        yield release
    finally:
        release()


def added(cast: Cast) -> Callable[[], str]:
    it = cast.add("harbor-prod")
    return lambda: services().store.credential(it.key, uid=it.uid).password


def channel(cast: Cast) -> Callable[[], str]:
    access, config = cast.access("nina"), {"url": URL, "secret": "SECx"}
    services().channels.create(
        access=access, namespace="team-a", name="group", service="dingtalk", language="zh", config=config
    )
    return lambda: opened(services().sealer, Channel.objects.get())["secret"].replace("SECx", CANARY)


def change_of_many(cast: Cast) -> Callable[[], str]:
    it = cast.find("harbor-prod")
    run = Run.objects.create(id=uuid4(), kind="rotate", person="nina", owner="nina")
    item = RunItem.objects.create(run=run, namespace=it.namespace, name=it.name, uid=it.uid)
    draft = services().store.draft(it.key, uid=it.uid)
    services().rotation_rows.add(run.pk, {"password": CANARY}, {it.uid: draft}, anyway=False)
    return lambda: services().rotation_rows.target(item.pk).new.password


WRITES = [added, channel, change_of_many]


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_stops_before_its_commit_keeps_its_password(
    cast: Cast, keys: datadir.KeyFile, write: Callable[[Cast], Callable[[], str]]
) -> None:
    if write is change_of_many:
        cast.add("harbor-prod")
    services().reseal()  # imports what it needs
    readers: list[Callable[[], str]] = []
    before = keys()

    def rotate() -> None:
        call_command("rotate_keys")
        connections.close_all()

    rotation = threading.Thread(target=rotate)
    with stopped(lambda: readers.append(write(cast))) as release:
        rotation.start()
        assert wait_for(lambda: keys() != before)
        rotation.join(SHORT)
        assert rotation.is_alive()
        release()
        rotation.join(LONG)

    assert not set(before) & set(keys())
    assert [read() for read in readers] == [CANARY]


def test_a_write_that_does_not_end_leaves_the_keys(
    cast: Cast, keys: datadir.KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "PATIENCE", 0.0)
    monkeypatch.setattr(sealing, "TURN", 0.05)
    before, readers = keys(), list[Callable[[], str]]()
    with stopped(lambda: readers.append(added(cast))):
        if connection.vendor == "sqlite":
            connection.cursor().execute("PRAGMA busy_timeout = 50")
        with pytest.raises(CommandError, match="No key was deleted"):
            call_command("rotate_keys")
        assert set(before) < set(keys())

    connections.close_all()
    call_command("rotate_keys")
    assert len(keys()) == 1
    assert readers[0]() == CANARY


def test_a_seal_outside_of_a_transaction_is_refused(keys: datadir.KeyFile) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        services().sealer.seal("x", uid="u", binding="b")
