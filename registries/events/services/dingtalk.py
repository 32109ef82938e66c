"""钉钉 (DingTalk): a robot of a group, with or without a signature (notifications.md)."""

import base64
import hmac
from datetime import datetime, timedelta
from urllib.parse import urlencode

from registries.events.message import Message
from registries.events.services.base import JSON, CodedService, Config, Field, Post, Trouble, json_body

TEXT_MAX = 15_000
"""Bytes. The service takes about 20,000 in all."""


class DingTalk(CodedService):
    name = "dingtalk"
    fields: tuple[Field, ...] = (Field("url"), Field("secret", required=False))
    per_minute = 20
    blocked = timedelta(minutes=10)
    codes, texts = ("errcode",), ("errmsg",)
    troubles = {
        310000: Trouble.SIGNATURE,
        300001: Trouble.KEY,
        300005: Trouble.KEY,
        130101: Trouble.TOO_OFTEN,
        410100: Trouble.TOO_OFTEN,
    }

    def request(self, message: Message, config: Config, *, key: str, now: datetime) -> Post:
        """Plain text, not Markdown: nothing in it can become a link or a mention."""
        body = {"msgtype": "text", "text": {"content": message.text(TEXT_MAX)}, "at": {"isAtAll": False}}
        url = config["url"]
        if config.get("secret"):
            stamp = str(round(now.timestamp() * 1000))
            url += ("&" if "?" in url else "?") + urlencode(
                {"timestamp": stamp, "sign": sign(stamp, config["secret"])}
            )
        return Post(url, json_body(body), JSON)


def sign(timestamp: str, secret: str) -> str:
    """The signature of a time in milliseconds."""
    digest = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), "sha256")
    return base64.b64encode(digest).decode()
