"""E-mail over a real SMTP server."""

import itertools
import time
from collections.abc import Callable, Iterable
from email import message_from_bytes
from email.header import decode_header, make_header
from socket import socket
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import transaction
from django.utils import timezone

from registries.events.change import Change
from registries.events.channels import ChannelView
from registries.events.outbox import SENT, tell
from registries.events.sender import Sender
from registries.events.services import mail as mail_service
from registries.events.services.base import Outcome, Trouble
from registries.models import Channel, Delivery
from tests.events.conftest import change
from tests.peers.ports import free_port
from tests.peers.scripted import Reply, scripted


class Inbox:
    """Takes mails, or refuses them with `answer`, and the recipients in `refused` with the answer there."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.answer = "250 OK"
        self.refused: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address not in self.refused:
            envelope.rcpt_tos.append(address)
        return self.refused.get(address, "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.mails.append(envelope)
        return self.answer


@pytest.fixture
def inbox(settings: Any) -> Any:
    handler = Inbox()
    server = Controller(handler, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield handler
    server.stop()


def attempt(sender: Sender, channel: ChannelView, changed: Change) -> Outcome:
    return sender.attempt(
        Channel.objects.get(pk=channel.id), [changed], "11111111-1111-1111-1111-111111111111"
    )


def test_a_mail_arrives_at_every_recipient(
    inbox: Inbox, sender: Sender, add_channel: Callable[..., ChannelView]
) -> None:
    channel = add_channel("mail", to="ops@example.com, on-call@example.com")
    outcome = attempt(sender, channel, change(display_name="主仓库\r\nBcc: evil@example.com"))
    assert outcome == Outcome()
    [mail] = inbox.mails
    assert mail.rcpt_tos == ["ops@example.com", "on-call@example.com"]
    assert isinstance(mail.content, bytes)
    parsed = message_from_bytes(mail.content)
    assert (
        str(make_header(decode_header(parsed["Subject"])))
        == "镜像源 team-a/harbor-prod 连接失败：用户名或密码错误"
    )
    assert parsed["Bcc"] is None
    assert parsed["Message-ID"] == "<11111111-1111-1111-1111-111111111111@registry-console>"
    body = parsed.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert "用户名或密码错误" in body.decode()


def test_a_refusal_and_a_server_that_is_away_are_told(
    inbox: Inbox, sender: Sender, add_channel: Callable[..., ChannelView], settings: Any
) -> None:
    channel = add_channel("mail", to="ops@example.com")
    inbox.answer = "554 no"
    assert attempt(sender, channel, change()) == Outcome(Trouble.MAIL, "554")
    settings.EMAIL_PORT = 9
    assert attempt(sender, channel, change()) == Outcome(Trouble.MAIL, "ConnectionRefusedError")


def test_a_recipient_that_is_refused_is_told_and_the_others_get_one_mail(
    inbox: Inbox, sender: Sender, add_channel: Callable[..., ChannelView]
) -> None:
    channel = add_channel("mail", to="gone@example.com, ops@example.com")
    inbox.refused = {"gone@example.com": "550 No such user"}
    with transaction.atomic():
        tell([change()])
    Delivery.objects.update(due_at=timezone.now())
    assert sender.send_one()
    assert [mail.rcpt_tos for mail in inbox.mails] == [["ops@example.com"]]
    row = Channel.objects.get(pk=channel.id)
    assert (row.trouble, row.code) == ("recipients", "550")
    assert row.sent_at
    assert Delivery.objects.get().state == SENT
    outcome = attempt(sender, channel, change())
    assert outcome == Outcome(Trouble.RECIPIENTS, "550", "gone@example.com (550)")


def test_recipients_that_are_all_refused_are_tried_again(
    inbox: Inbox, sender: Sender, add_channel: Callable[..., ChannelView]
) -> None:
    channel = add_channel("mail", to="a@example.com, b@example.com")
    inbox.refused = {"a@example.com": "550 no", "b@example.com": "451 later"}
    outcome = attempt(sender, channel, change())
    assert outcome == Outcome(Trouble.MAIL, "451", "a@example.com (550), b@example.com (451)")
    assert not outcome.delivered


def dripping(pieces: Iterable[bytes], pause: float = 0.0) -> Callable[[socket], bool]:
    """A mail server that sends these pieces, whatever its client says."""

    def greet(connection: socket) -> bool:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)
        return False

    return greet


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [
        ([b"220 h\r\n", *itertools.repeat(b"2", 600)], 0.1),
        (itertools.chain([b"220 h\r\n250-"], itertools.repeat(b"2", 600)), 0.1),
        (itertools.chain([b"220 h\r\n"], itertools.repeat(b"250-a\r\n", 600)), 0.1),
        (itertools.chain([b"220 h\r\n"], itertools.repeat(b"250-a\r\n" * 1000, 6000)), 0.0),
        (itertools.repeat(b"220-a\r\n", 600), 0.1),
        (itertools.repeat(b"220-" + b"a" * 5000 + b"\r\n", 20_000), 0.0),
        (
            [b"220 h\r\n", b"250 h\r\n", b"250 ok\r\n", b"250 ok\r\n", *itertools.repeat(b"354-x\r\n", 600)],
            0.1,
        ),
    ],
)
def test_a_mail_server_that_drips_or_never_ends_is_left(
    sender: Sender,
    add_channel: Callable[..., ChannelView],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    pieces: Iterable[bytes],
    pause: float,
) -> None:
    """As long as it is waited for, nobody's messages are sent by this thread."""
    monkeypatch.setattr(mail_service, "TOTAL", 0.3)
    channel = add_channel("mail", to="ops@example.com")
    with scripted(lambda _request: Reply(), greet=dripping(pieces, pause)) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        begun = time.monotonic()
        outcome = attempt(sender, channel, change())
        took = time.monotonic() - begun
    assert outcome == Outcome(Trouble.MAIL, "SMTPServerDisconnected")
    assert took < 40, "the servers drip for a minute"


def test_no_mail_is_sent_in_clear_where_tls_is_wanted(
    inbox: Inbox, sender: Sender, add_channel: Callable[..., ChannelView], settings: Any
) -> None:
    settings.EMAIL_USE_TLS = True
    channel = add_channel("mail", to="ops@example.com")
    assert attempt(sender, channel, change()) == Outcome(Trouble.MAIL, "SMTPNotSupportedError")
    assert not inbox.mails
