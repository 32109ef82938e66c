"""The next step after a failed test, in the words of the provider, and what the history says about the cause."""

from collections.abc import Mapping

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registries.domain.registry import Provider
from registries.probe import Reason
from registries.words.language import Text

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
        "Check the user name. With OIDC log-in, use the CLI secret from the profile; a robot account is better"
    ),
    Reason.CREDENTIALS_EXPIRED: _("Renew the password in Harbor, or use a robot account"),
    Reason.NOT_A_REGISTRY: _(
        "Enter the host and port of the Harbor portal, and check for a login page in front of it"
    ),
}
_HINTS: Mapping[Provider | str, Hints] = {
    Provider.HARBOR: _HARBOR,
    ROBOT: {
        **_HARBOR,
        Reason.BAD_CREDENTIALS: _(
            "Check the robot account in Harbor: it may be disabled, expired or have a new secret"
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
            "Use the address from the page 访问凭证, with the instance in it if that page shows one"
        ),
        Reason.RATE_LIMITED: _REPEATED,
    },
    Provider.OTHER: {
        **_COMMON,
        Reason.BAD_CREDENTIALS: _("Check the user name and the password in the registry"),
        Reason.REALM_INSECURE: _("Change the address of the token service to https in the registry"),
        Reason.NOT_A_REGISTRY: _(
            "Check the host and the port, and for a login page. Nexus: use the port of the repository connector"
        ),
    },
}

_ACCOUNT = frozenset({Reason.BAD_CREDENTIALS, Reason.CREDENTIALS_EXPIRED, Reason.ACCESS_DENIED})
"""The reasons that a changed password or token explains."""


def next_step(reason: str, provider: Provider, username: str) -> str:
    """What to do about a reason code with this provider; "" when the general hint of the reason says it."""
    hints = _HINTS[_kind(provider, username)]
    return str(hints[Reason(reason)]) if reason in list(Reason) and Reason(reason) in hints else ""


def second_credential(provider: Provider, username: str) -> str:
    """In which order to change a password here and at the registry, so that images can be pulled all the time."""
    kind = _kind(provider, username)
    if kind == ROBOT:
        return gettext(
            "A new secret of a robot account replaces the old one in Harbor at once. Save it here right afterwards:"
            " until then, images cannot be pulled."
        )
    if kind is Provider.DOCKERHUB:
        return gettext(
            "Create a second access token at Docker Hub, save it here, and delete the old one afterwards. Images can"
            " be pulled all the time."
        )
    return gettext(
        "If the registry allows two tokens for this user name, create the second one, save it here, and revoke the"
        " old one afterwards. Otherwise save the new password here right after its change."
    )


def is_robot(provider: Provider, username: str) -> bool:
    """Whether this is a robot account of Harbor."""
    return _kind(provider, username) == ROBOT


def last_connected(reason: str, provider: Provider, username: str, ago: str) -> str:
    """What an earlier success says about a failure. `ago` is the age of that success in words."""
    if reason not in _ACCOUNT:
        return gettext("Last connected %(ago)s") % {"ago": ago}
    if _kind(provider, username) == ROBOT:
        return gettext("Connected %(ago)s; the robot account's secret may have changed since") % {"ago": ago}
    return gettext("Connected %(ago)s; the password or token may have changed since") % {"ago": ago}


def _kind(provider: Provider, username: str) -> Provider | str:
    return ROBOT if provider is Provider.HARBOR and "$" in username else provider
