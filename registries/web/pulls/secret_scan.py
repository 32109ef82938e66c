"""拉取凭证检查 (pull secrets in use): a scan of the Secrets that pods, workloads and service accounts name."""

from dataclasses import dataclass, replace

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registries.domain.access import Access, Permission
from registries.domain.errors import NotFound, Problem
from registries.domain.registry import Key, Provider
from registries.domain.shown import shown_words
from registries.log_in.access import ConsoleRequest
from registries.pull_secrets.kinds import ACCOUNT, is_object_name
from registries.pull_secrets.scan import Finding, Scanned
from registries.service.secret_scan import Scan
from registries.web.pulls.adopt import add_url
from registries.web.pulls.step import Step, change_account, change_template, delete_secret, look_at
from registries.web.responses import details_url, is_htmx
from registries.wiring import services
from registries.words import labels
from registries.words.labels import Label
from registries.words.language import comma
from registries.words.names import MORE, named
from registries.words.problems import problem_text
from registries.words.pull_failures import FLAWS
from registries.words.pull_secrets import FINDINGS, MISSING_ASKED, UNREAD_LOCAL

USERS_SHOWN, NAMES_SHOWN, STEPS, UNREAD_SHOWN = 10, 5, 3, 10
NAME_MAX = 255
_NOT_CHECKED = frozenset({Finding.UNREAD, Finding.CUT})
"""What a scan says of a Secret in which it found nothing wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """A Secret with findings [(label, reason)]. `users` are (kind, name), `more` counts the rest. `steps` are
    (text, URL, opens a dialog)."""

    namespace: str
    name: str
    findings: list[tuple[Label, str]]
    users: tuple[tuple[str, str], ...]
    count: int
    more: int
    steps: list[tuple[str, str, bool]]
    adopts: bool
    """Whether a step adds a registry for a credential in it."""
    mend: Step | None
    """For a Secret that nodes cannot read."""


@dataclass(frozen=True, slots=True)
class _Pages:
    """Namespaces `first` to `last` of `total`, where one page has not all of them. `next` is the URL of the next page,
    `start` that of the first one; "" without it."""

    first: int
    last: int
    total: int
    next: str
    start: str

    @classmethod
    def of(cls, found: Scan) -> "_Pages | None":
        if found.read in (0, found.namespaces):
            return None
        url = "registries:secret_scan"
        return cls(
            first=found.before + 1,
            last=found.before + found.read,
            total=found.namespaces,
            next=reverse(url, query={"after": found.last}) if found.last else "",
            start=reverse(url) if found.before else "",
        )


@require_safe
def secret_scan(request: ConsoleRequest) -> HttpResponse:
    """The page; for htmx, the part that the filter changes. `namespace` narrows it; `after` is the last namespace of
    the page before. NotFound without a cluster."""
    namespace = request.GET.get("namespace", "")
    if not services().pull_failures.available:
        raise NotFound(request.path, Problem.NO_PULL_SECRETS)
    found = services().pull_failures.secrets.find(
        access=request.access, namespace=namespace, after=request.GET.get("after", "")
    )
    unchecked = sum(set(it.findings) <= _NOT_CHECKED for it in found.secrets)
    context = {
        "namespace": namespace,
        "namespaces": services().index.namespaces(access=request.access),
        "rows": [_row(it, request.acting_access) for it in found.secrets],
        "attention": len(found.secrets) - unchecked,
        "unchecked": unchecked,
        "in_order": [_in_order(it, request.access) for it in found.in_order],
        "in_order_all": found.without_findings,
        "in_order_more": found.without_findings - len(found.in_order),
        "unused": [(it, details_url(it.key)) for it in found.unused],
        "checked": found.checked,
        "unread": _unread(found.unread),
        "problem": problem_text(found.problem) if found.problem else "",
        "more": found.more,
        "pages": _Pages.of(found),
    }
    part = "pulls/_secret_scan.html" if is_htmx(request) else "pulls/secret_scan.html"
    return render(request, part, context)


def _unread(unread: list[tuple[str, list[str]]]) -> list[tuple[str, list[str], int]]:
    """(kinds, the first namespaces where they may not be listed, the number of further ones)."""
    places: dict[str, list[str]] = {}
    for place, kinds in unread:
        places.setdefault(comma().join(kinds), []).append(place)
    return [(kinds, it[:UNREAD_SHOWN], len(it[UNREAD_SHOWN:])) for kinds, it in places.items()]


def _in_order(scanned: Scanned, access: Access) -> tuple[Key, str, Label | None]:
    """The Secret; the URL and the status of its registry, if it has one: a password in order for nodes may be wrong."""
    key = replace(scanned.key, name=shown_words(scanned.key.name, NAME_MAX))
    if scanned.registry is None:
        return key, "", None
    registry = services().index.known(access, scanned.registry)
    return key, details_url(scanned.registry), labels.status(registry) if registry else None


def _row(scanned: Scanned, access: Access) -> Row:
    steps, may = _steps(scanned, access), access.may(Permission.CREATE, scanned.key.namespace)
    return Row(
        namespace=scanned.key.namespace,
        name=shown_words(scanned.key.name, NAME_MAX),
        findings=[(FINDINGS[it], _reason(it, scanned, may_add=may)) for it in scanned.findings],
        users=scanned.users[:USERS_SHOWN],
        count=len(scanned.users),
        more=len(scanned.users[USERS_SHOWN:]),
        steps=steps,
        adopts=bool(scanned.unclaimed) and any(opens for _text, _url, opens in steps),
        mend=_mend(scanned, access) if Finding.BROKEN in scanned.findings else None,
    )


def _mend(scanned: Scanned, access: Access) -> Step | None:
    """Takes a broken Secret out of the service accounts and workloads that name it; it is deleted last."""
    place, secret = scanned.key.namespace, scanned.key.name
    if not is_object_name(secret):
        return None
    delete, look = delete_secret(place, secret), look_at(place, secret)
    if scanned.registry is not None:
        registry = services().index.known(access, scanned.registry)
        hint = _(
            "The console keeps a Secret of this name for %(name)s, and makes it again after its deletion."
        )
        name = registry.name if registry else scanned.registry.name
        return Step(hint=named({"name": name}, hint), look=look).with_commands([delete])
    accounts = [
        change_account(place, name, takes_out=secret) for kind, name in scanned.users if kind == ACCOUNT
    ]
    templates = [change_template(place, user, "", takes_out=secret) for user in scanned.users]
    commands = [*accounts, *filter(None, templates)]
    if not commands:
        hint = _("Correct the content of the Secret. Or, if it is not needed, remove it from what names it.")
        return Step(hint=hint, look=look, last=delete)
    hint = _(
        "Remove the Secret from everything that names it, then restart the pods. For a private image, add a "
        "registry instead."
    )
    return Step(hint=hint, look=look, last=delete).with_commands(commands)


def _reason(finding: Finding, scanned: Scanned, *, may_add: bool = True) -> str:
    """Hosts, user names and keys are typed by anybody, and are cleaned."""
    every = {Finding.SHADOWED: scanned.shadowed_by, Finding.DUPLICATE: scanned.same}.get(finding, ())
    names = [shown_words(it, NAME_MAX) for it in every]
    if finding is Finding.FOREIGN:
        names = [_account(*it) for it in scanned.unclaimed]
    names[NAMES_SHOWN:] = [MORE] if len(names) > NAMES_SHOWN else []
    texts, flawed = [FINDINGS[finding].hint], ""
    if finding is Finding.UNREAD and not services().by_cluster:
        texts = [UNREAD_LOCAL]
    if finding is Finding.MISSING and not may_add:
        texts = [MISSING_ASKED]
    if finding is Finding.BROKEN and scanned.flaw is not None:
        flawed = shown_words(scanned.flawed.rpartition("@")[2], NAME_MAX)
        texts.append(FLAWS[scanned.flaw])
    return named({"names": names, "key": flawed, "place": scanned.key.namespace}, *texts)


def _account(host: str, user: str) -> str:
    names = {"host": shown_words(host, NAME_MAX), "user": shown_words(user, NAME_MAX)}
    return named(names, _("%(user)s at %(host)s"))


def _steps(scanned: Scanned, access: Access) -> list[tuple[str, str, bool]]:
    """A registry is opened, or added with the values of a credential."""
    key, may = scanned.key, access.may(Permission.CREATE, scanned.key.namespace)
    if scanned.registry is not None:
        registry = services().index.known(access, scanned.registry)
        text = _("Open registry %(name)s") % {"name": registry.title if registry else scanned.registry.name}
        return [(text, details_url(scanned.registry), False)]
    if not may:
        return []
    if Finding.MISSING in scanned.findings:
        query = {"namespace": key.namespace, "name": key.name, "provider": Provider.OTHER.value}
        return [(_("Add registry"), reverse("registries:add", query=query), True)]
    steps = []
    for host, user in scanned.unclaimed[:STEPS]:
        text = _("Add %(host)s") % {"host": shown_words(host, NAME_MAX)}
        steps.append((text, add_url(key, host, user), True))
    return steps
