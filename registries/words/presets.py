"""Addresses and hints of the add form for each type of registry.

Source of the address forms: documentation of Aliyun Container Registry, personal and enterprise edition.
"""

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registries.domain.registry import Provider
from registries.pull_secrets.images import usable_host

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Preset:
    """The preset of one type. `domain` is filled in when the type has only one address. The examples are shown in
    empty fields, the hints under them."""

    example: str
    username_example: str
    domain: str = ""
    domain_hint: Text = ""
    username_hint: Text = ""
    password_hint: Text = ""
    sample_path: str = "project/app:tag"


PRESETS = {
    Provider.HARBOR: Preset(
        example="harbor.example.com",
        username_example="robot$project+name",
        domain_hint=_("The host of the Harbor portal, with its port if it is not 443."),
        username_hint=_("The full name of a robot account, including the prefix: robot$project+name."),
        password_hint=_("The token of the robot account. OIDC users: the CLI secret from the user profile."),
    ),
    Provider.DOCKERHUB: Preset(
        example="docker.io",
        username_example="docker-id",
        domain="docker.io",
        domain_hint=_("Docker Hub has one address: docker.io."),
        username_hint=_("The Docker ID, in lower case; not the e-mail address."),
        password_hint=_(
            "A personal access token; required with two-factor authentication. Make it read-only: nodes with a"
            " mirror for Docker Hub send it there, too."
        ),
        sample_path="account/app:tag",
    ),
    Provider.ALIYUN: Preset(
        example="registry.cn-hangzhou.aliyuncs.com",
        username_example="name@1234567890123456",
        domain_hint=_("Nodes inside the VPC pull faster and free of charge through the VPC address."),
        username_hint=_("The full name of the Aliyun account, as the page 访问凭证 shows it."),
        password_hint=_(
            "The registry's own fixed password (固定密码), not the account's and not an AccessKey."
        ),
        sample_path="namespace/app:tag",
    ),
    Provider.OTHER: Preset(
        example="registry.example.com:5000",
        username_example="pull-robot",
        domain_hint=_(
            "Host, with the port if it is not 443. Add the prefix http:// only for a registry without TLS."
        ),
        username_hint=_("A robot account or a token with pull permission is sufficient."),
        password_hint=_("Stored encrypted, never shown again."),
        sample_path="team/app:tag",
    ),
}

ALIYUN_REGIONS = (
    ("cn-hangzhou", _("Hangzhou")),
    ("cn-shanghai", _("Shanghai")),
    ("cn-beijing", _("Beijing")),
    ("cn-shenzhen", _("Shenzhen")),
    ("cn-guangzhou", _("Guangzhou")),
    ("cn-qingdao", _("Qingdao")),
    ("cn-zhangjiakou", _("Zhangjiakou")),
    ("cn-huhehaote", _("Hohhot")),
    ("cn-wulanchabu", _("Ulanqab")),
    ("cn-heyuan", _("Heyuan")),
    ("cn-chengdu", _("Chengdu")),
    ("cn-hongkong", _("Hong Kong")),
    ("ap-southeast-1", _("Singapore")),
    ("ap-northeast-1", _("Tokyo")),
    ("eu-central-1", _("Frankfurt")),
    ("us-west-1", _("Silicon Valley")),
    ("us-east-1", _("Virginia")),
)


_ACCOUNTS: tuple[tuple[re.Pattern[str], Text], ...] = (
    (
        re.compile(r"[0-9]{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?"),
        _("AWS ECR: the user name is AWS. The password is a token that expires after 12 hours."),
    ),
    (
        re.compile(r"([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io)"),
        _("Google Artifact Registry: the user name is _json_key, the password is the whole JSON key."),
    ),
    (
        re.compile(r"[a-z0-9-]+\.tencentcloudcr\.com"),
        _("Tencent TCR: the user name of a service account has the form tcr$name."),
    ),
)
"""Hosts of other clouds (connection-test.md, rotation.md), and the user name that they expect."""
_MISTAKEN = (
    (
        re.compile(r"(crpi-[a-z0-9]+)-registry(-vpc)?\.([a-z0-9-]+)\.cr\.aliyuncs\.com"),
        r"\1\2.\3.personal.cr.aliyuncs.com",
    ),
    (re.compile(r"cr(-vpc)?\.([a-z0-9-]+)\.aliyuncs\.com"), r"registry\1.\2.aliyuncs.com"),
)
"""Hosts of Aliyun that are no registry: a personal instance in the form of an enterprise one, and the API."""
_ALIYUN_HOST = re.compile(
    r"registry(-vpc|-internal)?\.[a-z0-9-]+\.aliyuncs\.com|([a-z0-9-]+\.)+cr\.aliyuncs\.com"
)


def account_hint(host: str) -> Text:
    """The account that the registry of a known cloud expects; "" for other hosts."""
    return next((text for pattern, text in _ACCOUNTS if pattern.fullmatch(host)), "")


def meant_host(host: str) -> str:
    """The registry of Aliyun that was probably meant by a host of Aliyun that is none; "" for other hosts."""
    return next((pattern.sub(form, host) for pattern, form in _MISTAKEN if pattern.fullmatch(host)), "")


def is_aliyun(host: str) -> bool:
    """Whether this is the host of a registry of Aliyun."""
    return bool(_ALIYUN_HOST.fullmatch(host))


def sample_image(address: str, provider: Provider) -> str:
    """An example of an image reference: harbor.example.com/project/app:tag."""
    host = usable_host(address) or address.removeprefix("http://")
    return f"{host}/{PRESETS[provider].sample_path}"
