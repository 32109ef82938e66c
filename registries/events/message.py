"""A message to people about changes of one group, as plain text in the channel's language.

Texts that people typed (display names, owners) are made harmless here: no link and no mention is left in them. Services
escape what their own format needs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from urllib.parse import urlencode

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from registries.addresses import DOCKER_HUB, DOCKER_HUB_HOST
from registries.domain.registry import Ending
from registries.events.change import Change, ChangeKind, newest
from registries.words import labels, times
from registries.words.language import comma

LISTED = 10
"""Registries that a message names. It counts the others."""
NAMESPACES = 5
TYPED_MAX = 80
_MENTION = re.compile(r"(?<![\w.+-])@")
_SCHEME = re.compile(r"(?<=\w):(?=//)")
_WWW = re.compile(r"(www\d*)[.\u3002\uff61]", re.IGNORECASE)
"""Many programs make a link of a text that begins so."""
_DOMAIN = re.compile(
    r"(?P<mail>[\w.+-]{1,64}@[\w-]+\.[\w.-]++(?![/:]))"
    r"|(?<=[^\W_])\.(?=[^\W\d_]{2})|(?<=[a-z0-9])[\u3002\uff61](?=[a-z]{2})",
    re.IGNORECASE,
)
"""An address of mail, or a dot before a word, as in a domain: some programs make a link of example.com."""
_MARKUP = str.maketrans({"[": "［", "]": "］", "<": "＜", ">": "＞", "`": "＇", "*": "＊", "|": "｜"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message: a title, lines, and a link to the console ("" if its address is not known).

    `changes` are the changes that it tells of, one per registry. `language` is zh or en.
    """

    kind: ChangeKind
    title: str
    lines: tuple[str, ...]
    link: str
    changes: tuple[Change, ...]
    language: str

    def text(self, limit: int) -> str:
        """Title, lines and link, at most `limit` bytes of UTF-8. Lines that do not fit are left out."""
        end = [self.link] if self.link else []
        lines = [self.title, *self.lines]
        while len(lines) > 1 and _size([*lines, *end]) > limit:
            lines.pop()
        return cut("\n".join([*lines, *end]), limit)


def message(changes: Sequence[Change], *, language: str, url: str, scope: str = "") -> Message:
    """The message about these changes of one group. `url` is the console's address without a final slash, or "".

    `scope` is the namespace of the channel; "" for all.
    """
    told = newest(changes)
    first = told[0]
    with translation.override("zh-hans" if language == "zh" else "en"):
        registries = [change for change in told if change.name]
        lines = _facts(first, registries) if registries else _of_console(first)
        return Message(
            first.kind,
            _title(first, registries),
            tuple(lines),
            _link(url, registries, scope),
            tuple(told),
            language,
        )


def typed(text: str) -> str:
    """A text that somebody typed, on one line, without links, mentions and markup."""
    return _plain(_DOMAIN.sub(lambda found: found["mail"] or "．", text))


def _plain(text: str) -> str:
    """The same of a host, which stays as it is: people copy it, and a link leads to the registry itself."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = unlinked(_MENTION.sub("＠", _SCHEME.sub("：", line)).translate(_MARKUP))
    return line if len(line) <= TYPED_MAX else line[: TYPED_MAX - 1] + "…"


def unlinked(text: str) -> str:
    """A text in which no `www.` becomes a link."""
    return _WWW.sub(r"\1．", text)


def cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, without half a character."""
    return text.encode()[:limit].decode(errors="ignore")


def _size(lines: Sequence[str]) -> int:
    return len("\n".join(lines).encode())


def _title(first: Change, registries: Sequence[Change]) -> str:
    """What a phone shows: with the reason of a failure, and the number of namespaces."""
    n, spaces = len(registries), len({change.namespace for change in registries})
    if n == 1 and first.kind in _ONE:
        title = str(_ONE[first.kind]) % {"name": unlinked(f"{first.namespace}/{first.name}")}
    else:
        title = str(_MANY[first.kind]) % {"host": _host(first), "n": n}
    if spaces > 1:
        title = _("%(title)s in %(n)d namespaces") % {"title": title, "n": spaces}
    if first.kind in (ChangeKind.FAILING, ChangeKind.REMINDER) and first.reason:
        return _("%(title)s: %(reason)s") % {"title": title, "reason": labels.reason(first.reason)}
    return title


def _host(change: Change) -> str:
    return _plain(_written(change.host))


def _written(host: str) -> str:
    """The host as people write it: without the port of HTTPS, and Docker Hub by its name."""
    short = host.removesuffix(":443")
    return DOCKER_HUB if short == DOCKER_HUB_HOST else short


_ONE = {
    ChangeKind.FAILING: gettext_lazy("Registry %(name)s fails"),
    ChangeKind.RECOVERED: gettext_lazy("Registry %(name)s works again"),
    ChangeKind.REMINDER: gettext_lazy("Registry %(name)s still fails"),
    ChangeKind.FLAPPING: gettext_lazy("Registry %(name)s fails and recovers again and again"),
    ChangeKind.EXPIRING: gettext_lazy("Registry %(name)s: a credential or certificate expires soon"),
}
_MANY = {
    ChangeKind.FAILING: gettext_lazy("%(n)d registries on %(host)s fail"),
    ChangeKind.RECOVERED: gettext_lazy("%(n)d registries on %(host)s work again"),
    ChangeKind.REMINDER: gettext_lazy("%(n)d registries on %(host)s still fail"),
    ChangeKind.FLAPPING: gettext_lazy("%(n)d registries on %(host)s fail and recover again and again"),
    ChangeKind.EXPIRING: gettext_lazy(
        "Credentials or certificates of %(n)d registries on %(host)s expire soon"
    ),
    ChangeKind.NETWORK: gettext_lazy("The console's own network has a problem"),
    ChangeKind.NETWORK_OVER: gettext_lazy("The console's own network works again"),
    ChangeKind.TEST: gettext_lazy("Test message of the registry console"),
}


def _facts(first: Change, registries: Sequence[Change]) -> list[str]:
    lines = [_("Host: %(host)s") % {"host": _host(first)}]
    since = min(change.since for change in registries)
    if first.kind is ChangeKind.EXPIRING:
        lines.append(reason_of(replace(first, since=since)))
    elif first.kind.bad and first.reason:
        lines.append(_("Reason: %(reason)s") % {"reason": labels.reason(first.reason)})
        hint = labels.reason_hint(first.reason)
        lines += [_("Next step: %(hint)s") % {"hint": hint}] if hint else []
    if first.kind is ChangeKind.RECOVERED:
        lines.append(_("Recovered: %(time)s") % {"time": when(since)})
    elif first.kind is not ChangeKind.EXPIRING:
        lines.append(_("Since: %(time)s") % {"time": when(since)})
    if len(registries) > 1:
        spaces = sorted({change.namespace for change in registries})
        more = ["…"] if len(spaces) > NAMESPACES else []
        names = comma().join(spaces[:NAMESPACES] + more)
        lines.append(_("Namespaces (%(n)d): %(names)s") % {"n": len(spaces), "names": names})
    lines += [_item(change) for change in registries[:LISTED]]
    if len(registries) > LISTED:
        n = len(registries) - LISTED
        lines.append(ngettext("and %(n)d more", "and %(n)d more", n) % {"n": n})
    return lines


def _item(change: Change) -> str:
    parts = [unlinked(f"- {change.namespace}/{change.name}")]
    if change.kind is ChangeKind.EXPIRING:
        parts.append(_last_day(change).isoformat())
    if change.display_name:
        parts.append(f"({typed(change.display_name)})")
    if change.owner:
        parts.append(_("owner: %(name)s") % {"name": typed(change.owner)})
    if change.support:
        parts.append(_("support: %(name)s") % {"name": typed(change.support)})
    return " ".join(parts)


def reason_of(change: Change) -> str:
    """Why a registry fails, or what expires and when."""
    if change.kind is ChangeKind.EXPIRING:
        what = Ending(change.reason) if change.reason in list(Ending) else Ending.CREDENTIAL
        return times.expiry(_last_day(change), what, timezone.localdate(change.at))
    return labels.reason(change.reason) if change.reason else ""


def _last_day(change: Change) -> date:
    return change.since.astimezone(UTC).date()


def _of_console(first: Change) -> list[str]:
    match first.kind:
        case ChangeKind.NETWORK:
            return [
                _("Most registries cannot be reached since %(time)s. Their states stay as they were.")
                % {"time": when(first.since)},
                _("Check the network, DNS and proxy of the console."),
            ]
        case ChangeKind.NETWORK_OVER:
            return [_("Registries can be reached again since %(time)s.") % {"time": when(first.since)}]
        case _:
            return [_("This channel works. It tells you when a registry fails and when it works again.")]


def when(moment: datetime) -> str:
    """A time in the console's time zone, with the zone."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M %Z")


def _link(url: str, registries: Sequence[Change], scope: str) -> str:
    """One registry, the list of those on this host that are in such a state, or the overview."""
    if not url:
        return ""
    if not registries:
        return f"{url}/overview/"
    first = registries[0]
    if len(registries) == 1:
        return f"{url}/registries/{first.namespace}/{first.name}/"
    spaces = {change.namespace for change in registries}
    namespace = scope or (spaces.pop() if len(spaces) == 1 else "")
    status = {ChangeKind.FAILING: "failed", ChangeKind.REMINDER: "failed", ChangeKind.EXPIRING: "expiring"}
    query = {"namespace": namespace, "q": _written(first.host), "status": status.get(first.kind, "")}
    return f"{url}/registries/?{urlencode({name: it for name, it in query.items() if it})}"
