"""A registry from a credential of somebody's Secret, in the add dialog: user name and password are taken from it on the
server, and the password is in no page."""

from dataclasses import dataclass

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from registries.domain.registry import USERNAME_MAX, Key, Provider
from registries.domain.shown import shown_username, shown_words
from registries.log_in.access import ConsoleRequest
from registries.pull_secrets.failing import SecretCredential
from registries.pull_secrets.matching import DEFAULT_DOMAIN
from registries.wiring import services
from registries.words.pull_secrets import not_adopted

ROBOT = "robot$"
OTHERS = 20
"""Further credentials of a Secret that are offered."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """The Secret `secret` (namespace/name) and the key `entry` of its `auths`. `others` are (text, URL) of its further
    credentials, `more` counts the rest. `typed` is the URL of the form without it. `why`: the password cannot be taken,
    and this is the reason."""

    secret: str
    shown: str
    entry: str = ""
    host: str = ""
    username: str = ""
    others: tuple[tuple[str, str], ...] = ()
    more: int = 0
    typed: str = ""
    why: str = ""


@sensitive_variables("found", "chosen", "others")
def adopted_in(request: ConsoleRequest) -> Adopted | None:
    """What the form shows of the Secret that a link or the form names; None without one. NotFound for a namespace that
    this person does not see."""
    given = request.POST if request.method == "POST" else request.GET
    key = _secret_in(given)
    if key is None:
        return None
    found = services().pull_failures.adoption.look(access=request.access, secret=key)
    secret, shown = str(key), shown_words(key.name, USERNAME_MAX)
    chosen = _chosen(given, found.credentials)
    if chosen is None:
        return Adopted(secret, shown, why=not_adopted(found.problem, shown))
    others = [it for it in found.credentials if it is not chosen]
    return Adopted(
        secret,
        shown,
        chosen.key,
        chosen.host,
        shown_username(chosen.username),
        tuple((_words(it), add_url(key, it.host, it.username, it.key)) for it in others[:OTHERS]),
        len(others[OTHERS:]),
        add_url(key, chosen.host, chosen.username, adopts=False),
    )


@sensitive_variables("taken")
def with_credential(request: HttpRequest, typed: dict[str, str]) -> dict[str, str]:
    """The typed values, with user name and password of the Secret that the form names. Invalid for `adopted`."""
    key = adopted_secret(request)
    if key is None:
        return typed
    taken = services().pull_failures.adoption.take(
        access=request.access,  # type: ignore[attr-defined]
        secret=key,
        entry=request.POST.get("entry", ""),
        address=typed["domain"].strip(),
    )
    return {**typed, "username": taken.username, "password": taken.password}


def adopted_secret(request: HttpRequest) -> Key | None:
    """The Secret that the password of a posted form comes from; None if it was typed."""
    return None if request.POST.get("password") else _secret_in(request.POST)


def add_url(secret: Key, host: str, username: str, entry: str = "", *, adopts: bool = True) -> str:
    """The form for a new registry with a credential of a Secret. Without `entry`, the first one of host and user name.
    With `adopts` false, the form asks for the password. A user name that may be a token is in no URL."""
    query = {"namespace": secret.namespace, "domain": host, "provider": _provider(host, username).value}
    if shown_username(username) == username:
        query["username"] = username
    if adopts:
        query |= {"secret": str(secret), **({"entry": entry} if entry else {})}
    return reverse("registries:add", query=query)


def _provider(host: str, username: str) -> Provider:
    """Robot accounts are of Harbor."""
    if host == DEFAULT_DOMAIN:
        return Provider.DOCKERHUB
    return Provider.HARBOR if username.startswith(ROBOT) else Provider.OTHER


def _secret_in(given: QueryDict) -> Key | None:
    namespace, slash, name = given.get("secret", "").partition("/")
    return Key(namespace, name) if slash and name else None


def _chosen(given: QueryDict, credentials: tuple[SecretCredential, ...]) -> SecretCredential | None:
    """The credential of a key, or of host and user name; the only one of a Secret without either."""
    if entry := given.get("entry", ""):
        return next((it for it in credentials if it.key == entry), None)
    host, username = given.get("domain", ""), given.get("username", "")
    found = (it for it in credentials if host in ("", it.host) and username in ("", it.username))
    return next(found, None)


def _words(credential: SecretCredential) -> str:
    parts = (credential.username, credential.host)
    return " · ".join(shown_words(it, USERNAME_MAX) for it in parts)
