"""企业微信 (WeCom): a robot of a group. The key in its URL is the only secret (notifications.md)."""

from datetime import datetime

from registries.events.message import Message
from registries.events.services.base import JSON, CodedService, Config, Post, Trouble, json_body

TEXT_MAX = 2_048
"""Bytes of a text message."""


class WeCom(CodedService):
    name = "wecom"
    per_minute = 20
    codes, texts = ("errcode",), ("errmsg",)
    troubles = {93000: Trouble.KEY, 45009: Trouble.TOO_OFTEN}

    def request(self, message: Message, config: Config, *, key: str, now: datetime) -> Post:
        """Plain text, not Markdown: nothing in it can become a link or a mention."""
        body = {"msgtype": "text", "text": {"content": message.text(TEXT_MAX)}}
        return Post(config["url"], json_body(body), JSON)
