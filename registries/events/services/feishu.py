"""飞书 and Lark: a robot of a group, with or without a signature (notifications.md)."""

import base64
import hmac
from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from registries.events.message import Message, cut
from registries.events.services.base import JSON, CodedService, Config, Field, Post, Trouble, json_body

TEXT_MAX = 12_000
"""Bytes. The service takes 20 KB in all."""
TITLE_MAX = 300


class Feishu(CodedService):
    name = "feishu"
    fields: tuple[Field, ...] = (Field("url"), Field("secret", required=False))
    per_minute = 60
    codes, texts = ("code", "StatusCode"), ("msg", "StatusMessage")
    troubles = {
        19021: Trouble.SIGNATURE,
        19022: Trouble.SIGNATURE,
        19024: Trouble.SIGNATURE,
        19001: Trouble.KEY,
        11232: Trouble.TOO_OFTEN,
    }

    def request(self, message: Message, config: Config, *, key: str, now: datetime) -> Post:
        """A card of plain text elements, so that nothing in it can become a link or a mention."""
        body: dict[str, object] = {"msg_type": "interactive", "card": _card(message)}
        if config.get("secret"):
            stamp = str(int(now.timestamp()))
            body = {"timestamp": stamp, "sign": sign(stamp, config["secret"]), **body}
        return Post(config["url"], json_body(body), JSON)


def _card(message: Message) -> dict[str, object]:
    text = cut("\n".join(message.lines), TEXT_MAX)
    elements: list[dict[str, object]] = [{"tag": "div", "text": {"tag": "plain_text", "content": text}}]
    if message.link:
        with translation.override("zh-hans" if message.language == "zh" else "en"):
            label = _("Open in the console")
        button = {
            "tag": "button",
            "text": {"tag": "plain_text", "content": label},
            "type": "primary",
            "url": message.link,
        }
        elements.append({"tag": "action", "actions": [button]})
    title = {"tag": "plain_text", "content": cut(message.title, TITLE_MAX)}
    return {
        "header": {"title": title, "template": "red" if message.kind.bad else "green"},
        "elements": elements,
    }


def sign(timestamp: str, secret: str) -> str:
    """The signature of a time in seconds: the key is time and secret, the text is empty."""
    digest = hmac.digest(f"{timestamp}\n{secret}".encode(), b"", "sha256")
    return base64.b64encode(digest).decode()
