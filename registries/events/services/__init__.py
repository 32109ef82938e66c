"""The services that messages can be sent to. A new one is a file here and an entry in SERVICES."""

from registries.events.services.alertmanager import Alertmanager
from registries.events.services.base import Service
from registries.events.services.dingtalk import DingTalk
from registries.events.services.feishu import Feishu
from registries.events.services.mail import Mail
from registries.events.services.slack import Slack
from registries.events.services.webhook import Webhook
from registries.events.services.wecom import WeCom

SERVICES: dict[str, Service] = {
    "dingtalk": DingTalk(),
    "wecom": WeCom(),
    "feishu": Feishu(),
    "slack": Slack(),
    "alertmanager": Alertmanager(),
    "webhook": Webhook(),
    "mail": Mail(),
}
