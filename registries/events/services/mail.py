"""E-mail by the server of the console's settings."""

import smtplib
from datetime import datetime

from django.core.mail import EmailMessage, get_connection

from registries.events.message import Message
from registries.events.services.base import Config, Field, Outcome, Poster, Trouble

TEXT_MAX = 100_000
RECIPIENTS_MAX = 20
SUBJECT_MAX = 150
TIMEOUT = 15
"""Seconds."""


class Mail:
    name = "mail"
    fields: tuple[Field, ...] = (Field("to", secret=False),)
    per_minute = 30

    def send(self, message: Message, config: Config, *, key: str, now: datetime, post: Poster) -> Outcome:
        mail = EmailMessage(
            " ".join(message.title.split())[:SUBJECT_MAX],
            message.text(TEXT_MAX),
            to=recipients(config["to"]),
            headers={"Message-ID": f"<{key}@registry-console>", "Auto-Submitted": "auto-generated"},
            connection=get_connection(timeout=TIMEOUT),
        )
        try:
            mail.send()
        except smtplib.SMTPResponseException as error:
            return Outcome(Trouble.MAIL, str(error.smtp_code))
        except smtplib.SMTPRecipientsRefused as error:
            return Outcome(Trouble.MAIL, str(min(code for code, _text in error.recipients.values())))
        except (smtplib.SMTPException, OSError) as error:
            return Outcome(Trouble.MAIL, type(error).__name__)
        return Outcome()


def recipients(text: str) -> list[str]:
    """The addresses in a text with commas or white space between them."""
    return text.replace(",", " ").replace(";", " ").split()
