"""A webhook of anybody's own, signed as Standard Webhooks say.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac
from datetime import UTC, datetime

from registries.events.change import Change
from registries.events.message import Message
from registries.events.services.base import Config, Field, HttpService, Post, json_body

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret."""
CHANGES_MAX = 200
"""Changes in one body. `total` says how many there are."""


class Webhook(HttpService):
    name = "webhook"
    fields: tuple[Field, ...] = (Field("url"), Field("secret"))

    def request(self, message: Message, config: Config, *, key: str, now: datetime) -> Post:
        stamp = str(int(now.timestamp()))
        body = json_body(
            {
                "type": f"registry.{message.kind}",
                "timestamp": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "data": {
                    "title": message.title,
                    "link": message.link,
                    "total": len(message.changes),
                    "changes": [_change(change) for change in message.changes[:CHANGES_MAX]],
                },
            }
        )
        headers = {
            "Content-Type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{sign(key, stamp, body, secret_bytes(config['secret']))}",
        }
        return Post(config["url"], body, headers)


def secret_bytes(text: str) -> bytes:
    """The bytes of a secret `whsec_…`. ValueError if it is no base64 of 24 to 64 bytes."""
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if not SHORTEST <= len(secret) <= LONGEST:
        raise ValueError("not 24 to 64 bytes")
    return secret


def sign(key: str, timestamp: str, body: bytes, secret: bytes) -> str:
    """The signature, version 1."""
    signed = b".".join((key.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def _change(change: Change) -> dict[str, str]:
    texts = {
        "namespace": change.namespace,
        "name": change.name,
        "displayName": change.display_name,
        "host": change.host,
        "reason": change.reason,
        "owner": change.owner,
        "supportContact": change.support,
    }
    times = {"since": change.since.isoformat(), "at": change.at.isoformat()}
    return {name: value for name, value in texts.items() if value} | times
