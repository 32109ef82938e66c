"""Services of messages, and what came of an attempt, in the reader's language."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registries.events.services.base import Outcome, Trouble
from registries.words import labels
from registries.words.labels import Label
from registries.words.language import Text

SERVICES = {
    "dingtalk": Label(_("DingTalk"), icon="message-square"),
    "wecom": Label(_("WeCom"), icon="message-square"),
    "feishu": Label(_("Feishu / Lark"), icon="message-square"),
    "slack": Label("Slack", icon="message-square"),
    "alertmanager": Label("Alertmanager", icon="bell"),
    "webhook": Label("Webhook", icon="webhook"),
    "mail": Label(_("E-mail"), icon="mail"),
}
LANGUAGES = (("zh", "简体中文"), ("en", "English"))

FIELDS: dict[tuple[str, str], Text] = {
    ("", "url"): _("Webhook URL"),
    ("alertmanager", "url"): _("Address of Alertmanager"),
    ("", "secret"): _("Signing secret"),
    ("", "token"): _("Bearer token"),
    ("", "to"): _("Recipients"),
}
HINTS: dict[tuple[str, str], Text] = {
    ("dingtalk", "url"): _("Group settings > Robots > Custom robot. The URL contains the access token."),
    ("dingtalk", "secret"): _("Only if the robot has the security setting “signature”. It starts with SEC."),
    ("wecom", "url"): _("Group > Message push. The URL contains the key."),
    ("feishu", "url"): _("Group settings > Bots > Custom bot."),
    ("feishu", "secret"): _("Only if the bot has signature verification."),
    ("slack", "url"): _("An incoming webhook of your Slack app."),
    ("alertmanager", "url"): _("Without /api/v2/alerts."),
    ("alertmanager", "token"): _("Only if Alertmanager requires one."),
    ("webhook", "url"): _("The console sends JSON there, signed according to Standard Webhooks."),
    ("webhook", "secret"): _("The receiver's secret, or a new one that this command makes:"),
    ("mail", "to"): _("At most 20 addresses, separated by commas."),
}
COMMANDS = {("webhook", "secret"): "echo whsec_$(openssl rand -base64 32)"}
"""What stands below the hint, to copy."""
EXAMPLES = {
    ("dingtalk", "url"): "https://oapi.dingtalk.com/robot/send?access_token=…",
    ("wecom", "url"): "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…",
    ("feishu", "url"): "https://open.feishu.cn/open-apis/bot/v2/hook/…",
    ("slack", "url"): "https://hooks.slack.com/services/…",
    ("alertmanager", "url"): "https://alertmanager.example.com",
    ("webhook", "url"): "https://example.com/hooks/registries",
    ("webhook", "secret"): "whsec_…",
    ("mail", "to"): "ops@example.com",
}

_TROUBLES: dict[Trouble, Text] = {
    Trouble.REFUSED: _("The service refused the message (code %(code)s)."),
    Trouble.KEY: _(
        "The service does not know this URL (code %(code)s). Copy it again from the robot's settings."
    ),
    Trouble.SIGNATURE: _(
        "The service refused the signature, the keyword or the console's IP address (code %(code)s). Check the "
        "signing secret, the robot's security settings and the clock of the console."
    ),
    Trouble.TOO_OFTEN: _(
        "The service received too many messages (code %(code)s). The console sends it again later."
    ),
    Trouble.GONE: _(
        "The receiver no longer accepts messages (HTTP 410), so the channel was turned off. Check"
        " the URL, then turn it on again."
    ),
    Trouble.STATUS: _("The service answered with HTTP status %(code)s."),
    Trouble.UNREADABLE: _("The answer does not come from this service. Check the URL."),
    Trouble.MAIL: _("The mail server did not take the message (%(code)s)."),
    Trouble.RECIPIENTS: _(
        "The mail server refused some of the recipients (%(code)s); the others got the message. A test message says "
        "which."
    ),
    Trouble.UNSENT: _("The console could not send the message (%(code)s). Its log says why."),
}


def field(service: str, name: str) -> Text:
    return FIELDS.get((service, name), FIELDS["", name])


def trouble(kind: str, code: str) -> str:
    """What happened and what to do; "" for no trouble."""
    if not kind:
        return ""
    if kind == Trouble.NETWORK:
        return gettext("%(reason)s. Check the URL, and the network from the console to its host.") % {
            "reason": labels.reason(code) or code
        }
    return str(_TROUBLES[Trouble(kind)]) % {"code": code}


def outcome(result: Outcome) -> str:
    return trouble(result.trouble or "", result.code)
