"""What the console knows of each provider: its addresses and examples, the next step after a failed test, and what the
history says about the cause.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registries.addresses import Address
from registries.domain.registry import Provider
from registries.probe import Reason
from registries.pull_secrets.images import usable_host
from registries.words.language import Text


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
        password_hint=_("The secret of the robot account. OIDC users: the CLI secret from the user profile."),
    ),
    Provider.DOCKERHUB: Preset(
        example="docker.io",
        username_example="docker-id",
        domain="docker.io",
        domain_hint=_("Docker Hub has one address: docker.io."),
        username_hint=_("The Docker ID, in lower case; not the e-mail address."),
        password_hint=_(
            "A read-only personal access token, which two-factor authentication requires. Nodes also "
            "send it to their mirrors of Docker Hub."
        ),
        sample_path="account/app:tag",
    ),
    Provider.ALIYUN: Preset(
        example="registry.cn-hangzhou.aliyuncs.com",
        username_example="name@1234567890123456",
        domain_hint=_("Nodes inside the VPC pull faster and free of charge through the VPC address."),
        username_hint=_("The full name of the Aliyun account, as on the page Access Credential (访问凭证)."),
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

_OTHER_HOST = re.compile(
    r"quay\.io|ghcr\.io|registry\.k8s\.io|mcr\.microsoft\.com|registry\.gitlab\.com"
    r"|[a-z0-9-]+\.azurecr\.(io|cn)|swr\.[a-z0-9-]+\.myhuaweicloud\.com|(ccr|[a-z]+ccr)\.ccs\.tencentyun\.com"
)
"""Hosts of other well-known registries, beside those of _ACCOUNTS."""


def account_hint(host: str) -> Text:
    """The account that the registry of a known cloud expects; "" for other hosts."""
    return next((text for pattern, text in _ACCOUNTS if pattern.fullmatch(host)), "")


def meant_host(host: str) -> str:
    """The registry of Aliyun that was probably meant by a host of Aliyun that is none; "" for other hosts."""
    return next((pattern.sub(form, host) for pattern, form in _MISTAKEN if pattern.fullmatch(host)), "")


def provider_of(address: Address) -> Provider | None:
    """The provider whose address this is, or of whose kind its host says that it is; None: the host says nothing."""
    if address.is_docker_hub:
        return Provider.DOCKERHUB
    if _ALIYUN_HOST.fullmatch(address.host) or meant_host(address.host):
        return Provider.ALIYUN
    if _OTHER_HOST.fullmatch(address.host) or account_hint(address.host):
        return Provider.OTHER
    return Provider.HARBOR if re.search(r"(^|[.-])harbor\d*[.-]", address.host) else None


def sample_image(address: str, provider: Provider) -> str:
    """An example of an image reference: harbor.example.com/project/app:tag."""
    host = usable_host(address) or address.removeprefix("http://")
    return f"{host}/{PRESETS[provider].sample_path}"


ROBOT = "robot"
"""The kind of a Harbor account that is no person; its name has a `$` (`robot$project+name`)."""
Hints = Mapping[Reason, Text]

_REPEATED = _("Do not retry repeatedly: too many failures can lock the account")
_SLOW = _("Check for a firewall that drops packets, a proxy or an overloaded service")
_PERSONAL_TOKEN = _("Create a personal access token with read permission and use it as the password")

_COMMON: Hints = {Reason.TIMEOUT: _SLOW, Reason.RATE_LIMITED: _REPEATED}
_HARBOR: Hints = {
    **_COMMON,
    Reason.BAD_CREDENTIALS: _(
        "Check the user name. With OIDC login, use the CLI secret from the profile; a robot account is better"
    ),
    Reason.CREDENTIALS_EXPIRED: _("Renew the password in Harbor, or use a robot account"),
    Reason.NOT_A_REGISTRY: _(
        "Enter the host and port of the Harbor portal, and check for a login page in front of it"
    ),
}
_HINTS: Mapping[str, Hints] = {
    Provider.HARBOR: _HARBOR,
    ROBOT: {
        **_HARBOR,
        Reason.BAD_CREDENTIALS: _(
            "Check the robot account in Harbor: it may be disabled or expired, or its secret may have changed"
        ),
        Reason.CREDENTIALS_EXPIRED: _("Extend the robot account in Harbor, or create a new one"),
        Reason.ACCESS_DENIED: _(
            "Check in Harbor that the robot account is enabled and may pull from the project"
        ),
    },
    Provider.DOCKERHUB: {
        Reason.TIMEOUT: _SLOW,
        Reason.BAD_CREDENTIALS: _("Use the Docker ID, not the e-mail address, and a personal access token"),
        Reason.CREDENTIALS_EXPIRED: _PERSONAL_TOKEN,
        Reason.PAT_REQUIRED: _PERSONAL_TOKEN,
        Reason.ACCESS_DENIED: _("Check that the access token is active and that the account is not locked"),
        Reason.RATE_LIMITED: _("Wait. Too many failures lock the account for about 15 minutes"),
    },
    Provider.ALIYUN: {
        Reason.BAD_CREDENTIALS: _(
            "Use the fixed password of the registry, not the password of the Aliyun account and not an AccessKey"
        ),
        Reason.CREDENTIALS_EXPIRED: _("A temporary password lasts one hour. Use the fixed password"),
        Reason.ACCESS_DENIED: _("Check the public access whitelist and the RAM permissions of the account"),
        Reason.TIMEOUT: _(
            "Enterprise edition: check the public access whitelist. Inside the VPC use the VPC address"
        ),
        Reason.NOT_A_REGISTRY: _(
            "Use the address from the page Access Credential (访问凭证), with the instance in it if that "
            "page shows one"
        ),
        Reason.RATE_LIMITED: _REPEATED,
    },
    Provider.OTHER: {
        **_COMMON,
        Reason.BAD_CREDENTIALS: _("Check the user name and the password in the registry"),
        Reason.REALM_INSECURE: _("Change the address of the token service to https in the registry"),
        Reason.NOT_A_REGISTRY: _(
            "Check the host and the port, and whether a login page answers instead. Nexus: use the port of the "
            "repository connector"
        ),
    },
}

_TYPED: Mapping[str, Text] = {
    Provider.HARBOR: _(
        "Check the password you entered and the user name. With OIDC login, use the CLI secret from the profile; "
        "a robot account is better"
    ),
    ROBOT: _(
        "Check the secret you entered, then the robot account in Harbor: it may be disabled or expired, or have a "
        "newer secret"
    ),
    Provider.OTHER: _("Check the password you entered, then the user name and the password in the registry"),
}
"""The next step after a refused password that was just typed, by kind of account."""
_ACCOUNT = frozenset({Reason.BAD_CREDENTIALS, Reason.CREDENTIALS_EXPIRED, Reason.ACCESS_DENIED})
"""The reasons that a changed password or token explains."""


def next_step(reason: str, kind: str, *, typed: bool = False) -> str:
    """What to do about a reason code with an account of this kind; "" when the general hint of the reason says it.
    `typed`: of a password that was typed a moment ago, not of the stored one."""
    if typed and reason == Reason.BAD_CREDENTIALS and kind in _TYPED:
        return str(_TYPED[kind])
    hints = _HINTS.get(kind, {})
    return str(hints[Reason(reason)]) if reason in list(Reason) and Reason(reason) in hints else ""


def second_credential(provider: Provider, username: str) -> str:
    """In which order to change a password here and at the registry, so that images can be pulled all the time."""
    kind = account_kind(provider, username)
    if kind == ROBOT:
        return gettext(
            "A new secret of a robot account replaces the old one in Harbor at once. Save it here right afterwards:"
            " until then, images cannot be pulled."
        )
    if kind == Provider.DOCKERHUB:
        return gettext(
            "Create a second access token at Docker Hub, save it here, and delete the old one afterwards. Images can"
            " be pulled all the time."
        )
    return gettext(
        "If the registry allows two tokens for this user name, create the second one, save it here, and revoke the"
        " old one afterwards. Otherwise, change the password at the registry and save it here right away."
    )


def is_robot(provider: Provider, username: str) -> bool:
    """Whether this is a robot account of Harbor."""
    return account_kind(provider, username) == ROBOT


def last_connected(reason: str, provider: Provider, username: str, ago: str) -> str:
    """What an earlier success says about a failure. `ago` is the age of that success in words."""
    kind = account_kind(provider, username)
    if reason not in _ACCOUNT or (reason, kind) == (Reason.BAD_CREDENTIALS, ROBOT):  # the next step says why
        return gettext("Last connected %(ago)s") % {"ago": ago}
    if kind == ROBOT:
        return gettext("Connected %(ago)s; the robot account's secret may have changed since") % {"ago": ago}
    return gettext("Connected %(ago)s; the password or token may have changed since") % {"ago": ago}


def account_kind(provider: str, username: str) -> str:
    """The provider, or ROBOT. The next step depends on it."""
    return ROBOT if provider == Provider.HARBOR and "$" in username else provider
