"""E-mail by the server of the console's settings."""

import io
import smtplib
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from registries.events.message import Message
from registries.events.services.base import Config, Field, Outcome, Poster, Trouble
from registries.probe.connection import LimitedReader
from registries.probe.deadline import Deadline
from registries.probe.tls import TooMuch

TEXT_MAX = 100_000
RECIPIENTS_MAX = 20
SUBJECT_MAX = 150
TIMEOUT, TOTAL = 15, 60
"""Seconds for one read or write, and for all answers to one message."""
ANSWERS_MAX = 256 * 1024
"""Bytes of all answers to one message."""


Refusals = dict[str, tuple[int, bytes]]
"""The status and the text of the server, by recipient."""


class SomeRefused(smtplib.SMTPRecipientsRefused):
    """The server took the message for some recipients and refused others."""


class Reporting(smtplib.SMTP):
    """Raises SomeRefused after a message that was sent to some recipients only. Django drops that answer.

    smtplib waits again after each byte, and takes any number of lines. Here a server has TOTAL seconds and ANSWERS_MAX
    bytes.
    """

    file: io.BufferedReader | None

    def __init__(self, *args: Any, **options: Any) -> None:
        self._deadline = Deadline(TOTAL)
        super().__init__(*args, **options)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:  # at first, and after STARTTLS
            self.file = io.BufferedReader(LimitedReader(self.sock, self._deadline, TIMEOUT, ANSWERS_MAX))
        try:
            return super().getreply()
        except TooMuch:
            self.close()
            raise smtplib.SMTPServerDisconnected("too long") from None

    def sendmail(self, *args: Any, **options: Any) -> Refusals:
        refused: Refusals = super().sendmail(*args, **options)
        if refused:
            raise SomeRefused(refused)
        return refused


class ReportingTls(Reporting, smtplib.SMTP_SSL):
    pass


class Server(EmailBackend):
    """The mail server of the settings."""

    @property
    def connection_class(self) -> type[Reporting]:
        return ReportingTls if self.use_ssl else Reporting


class Mail:
    name = "mail"
    fields: tuple[Field, ...] = (Field("to", secret=False),)
    per_minute = 30
    blocked = timedelta(minutes=1)

    def send(self, message: Message, config: Config, *, key: str, now: datetime, post: Poster) -> Outcome:
        mail = EmailMessage(
            " ".join(message.title.split())[:SUBJECT_MAX],
            message.text(TEXT_MAX),
            to=recipients(config["to"]),
            headers={"Message-ID": f"<{key}@registry-console>", "Auto-Submitted": "auto-generated"},
            connection=Server(timeout=TIMEOUT),
        )
        try:
            mail.send()
        except smtplib.SMTPResponseException as error:
            return Outcome(Trouble.MAIL, str(error.smtp_code))
        except SomeRefused as error:
            return Outcome(Trouble.RECIPIENTS, _lowest(error.recipients), _list(error.recipients))
        except smtplib.SMTPRecipientsRefused as error:
            return Outcome(Trouble.MAIL, _lowest(error.recipients), _list(error.recipients))
        except (smtplib.SMTPException, OSError) as error:
            return Outcome(Trouble.MAIL, type(error).__name__)
        return Outcome()


def recipients(text: str) -> list[str]:
    """The addresses in a text with commas or white space between them."""
    return text.replace(",", " ").replace(";", " ").split()


def _lowest(refused: Refusals) -> str:
    return str(min(code for code, _text in refused.values()))


def _list(refused: Refusals) -> str:
    """The refused recipients with the status of each, without the server's text."""
    return ", ".join(f"{address} ({code})" for address, (code, _text) in refused.items())
