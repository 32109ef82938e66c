"""What every service of messages has in common: its fields, one POST, and a judgement of the answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from registries.events.message import Message
from registries.probe.answer import Answer
from registries.probe.reason import Reason

Config = Mapping[str, str]
"""The fields of a channel, by name; `secrets` among them are never shown."""
NUMBER_MAX = 12


class Trouble(StrEnum):
    """Why a message was not delivered. The values are stored; events/words.py has the sentences."""

    REFUSED = "refused"
    """The service answered with an error code of its own."""
    KEY = "key"
    """It does not know the URL, the token or the key."""
    SIGNATURE = "signature"
    """It refused signature, time, key word or address."""
    TOO_OFTEN = "too_often"
    GONE = "gone"
    STATUS = "status"
    """An HTTP status that is no success."""
    UNREADABLE = "unreadable"
    """HTTP 200, but not the answer of this service."""
    NETWORK = "network"
    """`Outcome.code` is a reason of the connection test."""
    MAIL = "mail"
    RECIPIENTS = "recipients"
    """A mail server took the message for some recipients and refused others. It is not sent again."""
    UNSENT = "unsent"
    """The console failed, or its settings do not allow this channel."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. `code` is the service's own error number, an HTTP status or a reason code.

    `said` is the service's own text, as it sent it: clean it before it is shown, and do not store it.
    """

    trouble: Trouble | None = None
    code: str = ""
    said: str = field(default="", repr=False)
    retry_after: int = 0

    @property
    def ok(self) -> bool:
        return self.trouble is None

    @property
    def delivered(self) -> bool:
        """Whether somebody has the message, so that it must not be sent again."""
        return self.trouble in (None, Trouble.RECIPIENTS)


@dataclass(frozen=True, slots=True)
class Post:
    """One HTTP request. Its URL and headers may hold secrets."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a channel. A secret is write-only."""

    name: str
    secret: bool = True
    required: bool = True


class Service(Protocol):
    """One service of messages. `per_minute` is its limit of rate for one channel; 0: none is known. `blocked` is how
    long it takes nothing after it was asked too often."""

    name: str
    fields: tuple[Field, ...]
    per_minute: int
    blocked: timedelta

    def send(self, message: Message, config: Config, *, key: str, now: datetime, post: "Poster") -> Outcome:
        """Sends once. `key` identifies the message: a retry has the same one. Raises probe.Fault for the network."""
        ...


Poster = Callable[[Post], Answer]


def rest_of(service: Service, *, too_often: bool = False) -> timedelta:
    """The time between two messages to one channel. Many at once would be refused, even if few came before.
    `too_often`: the service has just said so."""
    if too_often:
        return service.blocked
    return timedelta(minutes=1) / service.per_minute if service.per_minute else timedelta()


class HttpService:
    """A service with one POST."""

    name: str
    fields: tuple[Field, ...] = (Field("url"),)
    per_minute: int = 0
    blocked: timedelta = timedelta(minutes=1)

    def send(self, message: Message, config: Config, *, key: str, now: datetime, post: Poster) -> Outcome:
        return self.judged(post(self.request(message, config, key=key, now=now)))

    def request(self, message: Message, config: Config, *, key: str, now: datetime) -> Post:
        raise NotImplementedError

    def judged(self, answer: Answer) -> Outcome:
        """Success is any 2xx. 429 and 503 say when to come again, 410 that nobody wants it."""
        if 200 <= answer.status < 300:
            return Outcome()
        if answer.status == 410:
            return Outcome(Trouble.GONE, "410")
        if answer.status in (429, 502, 503, 504):
            return Outcome(
                Trouble.TOO_OFTEN if answer.status == 429 else Trouble.STATUS,
                str(answer.status),
                retry_after=answer.retry_after,
            )
        return Outcome(Trouble.STATUS, str(answer.status))


class CodedService(HttpService):
    """A service that answers 200 with an error code of its own in JSON. 0 is success.

    `codes` and `texts` are the names of the two fields, `troubles` says what known codes mean.
    """

    codes: tuple[str, ...]
    texts: tuple[str, ...]
    troubles: Mapping[int, Trouble]

    def judged(self, answer: Answer) -> Outcome:
        document = answer.document
        fields: dict[str, Any] = document if isinstance(document, dict) else {}
        code = next((fields[name] for name in self.codes if type(fields.get(name)) is int), None)
        if code is None:
            outcome = super().judged(answer)
            return Outcome(Trouble.UNREADABLE) if outcome.ok else outcome
        if code == 0 and 200 <= answer.status < 300:
            return Outcome()
        said = next((fields[name] for name in self.texts if isinstance(fields.get(name), str)), "")
        trouble = self.troubles.get(code, Trouble.REFUSED)
        wait = answer.retry_after if trouble is Trouble.TOO_OFTEN else 0
        return Outcome(trouble, str(code)[:NUMBER_MAX], said, wait)


def json_body(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


JSON = {"Content-Type": "application/json; charset=utf-8"}


def network(reason: Reason) -> Outcome:
    return Outcome(Trouble.NETWORK, reason.value)
