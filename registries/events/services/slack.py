"""Slack: an incoming webhook (notifications.md)."""

from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from registries.events.message import Message, cut
from registries.events.services.base import JSON, Config, HttpService, Outcome, Post, Trouble, json_body
from registries.probe.answer import Answer

SECTION_MAX = 2_900
TITLE_MAX = 150
"""Characters of a header block."""
SAID_MAX = 200


class Slack(HttpService):
    name = "slack"
    per_minute = 60

    def request(self, message: Message, config: Config, *, key: str, now: datetime) -> Post:
        """Blocks of plain text. Only the short text for notifications needs Slack's escapes."""
        text = cut("\n".join(message.lines), SECTION_MAX)
        blocks: list[dict[str, object]] = [
            {"type": "header", "text": _plain(message.title[:TITLE_MAX])},
            {"type": "section", "text": _plain(text)},
        ]
        if message.link:
            with translation.override("zh-hans" if message.language == "zh" else "en"):
                label = _("Open in the console")
            button = {"type": "button", "text": _plain(label), "url": message.link}
            blocks.append({"type": "actions", "elements": [button]})
        return Post(config["url"], json_body({"text": escaped(message.title), "blocks": blocks}), JSON)

    def judged(self, answer: Answer) -> Outcome:
        """200 with the text `ok`. Errors are words such as no_service."""
        said = answer.text.strip()[:SAID_MAX]
        if answer.status == 200:
            return Outcome() if said == "ok" else Outcome(Trouble.UNREADABLE)
        if answer.status in (400, 403, 404) and said.replace("_", "").isalpha():
            known = said in (
                "no_service",
                "no_service_id",
                "no_team",
                "team_disabled",
                "invalid_token",
                "channel_not_found",
            )
            return Outcome(Trouble.KEY if known else Trouble.REFUSED, str(answer.status), said)
        return super().judged(answer)


def escaped(text: str) -> str:
    """The three characters that Slack's text reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> dict[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}
