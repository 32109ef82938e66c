"""The details page: all fields without the password, the last verdicts, YAML, commands and events."""

import json
import re
import shlex
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import yaml
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registries.audit import search
from registries.audit.action import OK
from registries.audit.log import events_of
from registries.domain.access import Access, Permission
from registries.domain.errors import NotFound, Problem
from registries.domain.registry import EXPIRES_SOON, Key, RegistrySecret
from registries.domain.resource import API_GROUP, API_ROOT, API_VERSION, PREFIX, Resource
from registries.domain.shown import NOT_VALID
from registries.intake import BundleError, read_bundle
from registries.log_in.access import ConsoleRequest
from registries.mirrors.words import credential_warning
from registries.models import AuditEntry
from registries.probe.certificate import CertificateFacts
from registries.schedule.silences import ends, in_force
from registries.web import filters
from registries.web.pulls import pull_secrets
from registries.web.pulls.step import asked_note, export_command
from registries.web.registry import watched
from registries.web.registry.test_one import panel
from registries.web.registry_actions import RegistryAction, offered
from registries.web.responses import details_url, is_htmx, part_of_page, pulse_every
from registries.web.runs.progress import undo_url
from registries.wiring import services
from registries.words import journal, labels, providers, times
from registries.words.problems import problem_text
from registries.words.pull_secrets import image_problem
from registries.words.shell import ASK_TOKEN, BEARER, new_password, new_registry, with_password

RESOURCE = f"registrysecrets.{API_GROUP}"


@part_of_page(parameter="version")
@require_safe
def details(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The page. An open page polls with the `version` that it shows, and gets new content only if it changed."""
    access, key = request.access, Key(namespace, name)
    shown = request.GET.get("version", "") if is_htmx(request) else ""
    known = services().index.known(access=access, key=key) if shown else None
    if known is not None and _version(known) == shown:
        return HttpResponse(status=204)
    try:
        registry = services().registries.find(access=access, key=key)
    except NotFound:
        if not shown:
            raise
        uid = shown.partition("/")[0]
        return _gone(request, key, Problem.GONE, **_deletion(access, key, uid), **_undo(access, key, uid))
    if shown and registry.uid != shown.partition("/")[0]:
        return _gone(request, key, Problem.RECREATED, details_url(key))
    context = _context(request, access, registry)
    if shown:
        return render(request, "registry/_details.html", {**context, "redrawn": True})
    return render(request, "registry/details.html", context)


def _actions(access: Access, registry: RegistrySecret) -> tuple[RegistryAction, ...]:
    """The actions of the page, the main one first: it corrects an address that is not valid, and tests any other."""
    if registry.deleting:
        return ()
    main = "correct" if registry.address_problem else "test"
    return tuple(sorted(offered(access, registry.namespace, registry), key=lambda it: it.name != main))


def _gone(request: ConsoleRequest, key: Key, problem: Problem, url: str = "", **undo: Any) -> HttpResponse:
    context = {"key": key, "text": problem_text(problem), "url": url, **undo, **_list(request)}
    return render(request, "registry/_details_gone.html", context)


def _deletion(access: Access, key: Key, uid: str) -> dict[str, Any]:
    """Who deleted a registry, when, and until when this can be undone; nothing for who may not know."""
    found = search.deletion(access, key, uid)
    return {"deletion": found, "undo_until": found.at + services().undo_lasts} if found else {}


def _undo(access: Access, key: Key, uid: str) -> dict[str, Any]:
    """Where the deletion of a registry is undone, or that nothing can undo it; nothing for who may not."""
    undo = services().undo
    if not undo.is_on or not access.may(Permission.CREATE, key.namespace):
        return {}
    return {"undo": undo_url(key, uid)} if undo.offered(access=access, uids=[uid]) else {"lost": True}


def _list(request: ConsoleRequest) -> dict[str, str]:
    """The URL of the list that the reader came from, and its query string, with the `?`, for links that keep it."""
    query = filters.came_from(request)
    text = urlencode(filters.parameters(query))
    return {
        "list_url": filters.url(query, page=query.page),
        "list_query": f"?{text}" if text else "",
    }


def _version(registry: RegistrySecret) -> str:
    """A text that changes with the registry, its events, its silence and the state of the store."""
    newest = events_of(registry, 1)
    event, problem = newest[0].pk if newest else 0, services().index.freshness().problem or ""
    silenced = ends([registry], timezone.now()).get(registry.uid)
    until = f"{silenced:%s}" if silenced else ""
    return f"{registry.uid}/{registry.resource_version}/{event}/{problem}/{until}"


def _context(request: ConsoleRequest, access: Access, registry: RegistrySecret) -> dict[str, Any]:
    # Read it first: a change during the other reads then gives a new version.
    version = _version(registry)
    check = services().history.under_way([registry.uid]).get(registry.uid)
    acting = request.acting_access
    actions = _actions(acting, registry)
    return {
        "version": version,
        "pulse_every": pulse_every(),
        **panel(acting, registry, check),
        **_list(request),
        "around": services().index.failing_around(access, filters.came_from(request), registry.key),
        "actions": actions,
        "menu_from": 2 if registry.address_problem and len(actions) > 2 else 3,  # the first is longer then
        "role": access.role(registry.namespace),
        "authorities": _authorities(registry),
        "now": datetime.now(UTC),
        "expiries": _expiries(registry),
        "old_password": times.old_password(
            timezone.now() - registry.password_set_at, settings.PASSWORD_AGE_DAYS
        ),
        "watched": watched.of(registry, datetime.now(UTC)),
        **pull_secrets.panel(access, acting, registry),
        "folded": _folded(request, registry),
        "image_problem": image_problem(registry.address),
        "mirror_warning": credential_warning(services().mirrors.hosts(registry.address)),
        **_silence(acting, registry),
        "origin": services().relatives.source(access=access, registry=registry),
        "syncs": services().sync_rules.available,
        "sample": providers.sample_image(registry.address, registry.provider),
        "events": [
            {
                "entry": entry,
                "action": journal.ACTIONS.get(entry.action, entry.action),
                "text": _event_text(entry),
            }
            for entry in events_of(registry)
        ],
    }


def _folded(request: ConsoleRequest, registry: RegistrySecret) -> list[dict[str, Any]]:
    """The texts to copy, each with its heading or "": YAML, kubectl on a cluster, curl."""
    access = request.access
    texts: list[dict[str, Any]] = [{"id": "yaml", "title": "YAML", "texts": {as_yaml(registry): ""}}]
    note = asked_note()
    if services().on_cluster:
        shown = {"texts": commands(registry, access)}
        may = access.may(Permission.CREATE, registry.namespace)
        texts.append({"id": "kubectl", "title": "kubectl", **shown, "note": note if may else ""})
    elif export := export_command(registry):
        title = _("Apply the pull secret with kubectl")
        texts.append({"id": "export", "title": title, "texts": {export: ""}, "note": note})
    line = curl(request, registry, access)
    return [*texts, {"id": "curl", "title": "curl", "texts": {line: ""}, "link": _("API documentation")}]


def _authorities(registry: RegistrySecret) -> tuple[CertificateFacts, ...]:
    """The registry's custom CAs; empty if they are unreadable, for example after kubectl apply."""
    try:
        return read_bundle(registry.ca_bundle)[1] if registry.ca_bundle else ()
    except BundleError:
        return ()


def as_yaml(registry: RegistrySecret) -> str:
    """The resource as YAML, as kubectl prints it, with a placeholder for the password."""
    return _dump(json.loads(registry.document), "(hidden)")


def _dump(resource: Resource, password: str) -> str:
    metadata = {name: it for name, it in resource["metadata"].items() if it != {}}
    shown = {**resource, "metadata": metadata, "spec": {**resource["spec"], "password": password}}
    text = yaml.dump(shown, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)
    return _ODD.sub(lambda mark: f"\\u{ord(mark[0]):04X}", text)


def _new(registry: RegistrySecret) -> Resource:
    """The resource as somebody adds it: without what the API server sets, a verdict, and the source of a copy."""
    resource = json.loads(registry.document)
    metadata = {
        name: it for name, it in resource["metadata"].items() if name in ("name", "namespace", "labels")
    }
    notes = resource["metadata"]["annotations"].items()
    metadata["annotations"] = {name: it for name, it in notes if not name.startswith(_OF_CONSOLE)}
    return {**resource, "metadata": metadata}


_OF_CONSOLE = tuple(
    PREFIX + name
    for name in ("verify-", "certificate-expires", "token-expires", "password-set-at", "copied-from")
)


class _Dumper(yaml.SafeDumper):
    """Prints texts of several lines as a block, as kubectl does."""


PLACE = "(the password)"
"""Stands for the password in a manifest."""
_ODD = re.compile("[\x85\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Line breaks of Unicode, which readers of YAML take for others, and marks that change the direction of writing. They
are shown as escapes, which need double quotes."""
_NO_TEXT = re.compile(
    r"[yYnN]|[-+]?0[oO][0-7_]+|[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9_]+)?"
)
"""What kubectl reads as a number or a truth value, and PyYAML writes without quotes: 08, 1e5, y."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    styles = {'"': _ODD.search(text), "|": "\n" in text, "'": _NO_TEXT.fullmatch(text)}
    style = next((style for style, fits in styles.items() if fits), None)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def commands(registry: RegistrySecret, access: Access) -> dict[str, str]:
    """kubectl commands for the person's role, and what each one does. None prints the password. None writes the
    placeholder of a value that is not shown, or an empty value."""
    where = f"-n {registry.namespace}"
    columns = "custom-columns=NAME:.metadata.name,DOMAIN:.spec.domain,USER:.spec.username"
    values = {name: it for name, it in registry.information.items() if it and it != NOT_VALID}
    notes = " ".join(
        shlex.quote(f"{PREFIX}{name.replace('_', '-')}={value}") for name, value in values.items()
    )
    annotate = f"kubectl annotate {RESOURCE} {registry.name} {where} --overwrite {notes}" if notes else ""
    patch = f"kubectl patch {RESOURCE} {registry.name} {where} --type=merge --patch-file=/dev/stdin"
    manifest = _dump(_new(registry), PLACE)
    offered = (
        (Permission.SEE, _("View"), f"kubectl get {RESOURCE} {registry.name} {where} -o {columns}"),
        (Permission.EDIT, _("Edit information"), annotate),
        (
            Permission.CREATE,
            _("Add registry"),
            with_password(new_registry(manifest, PLACE), "kubectl create -f -"),
        ),
        (Permission.CREATE, _("Change the password"), with_password(new_password(), patch)),
        (
            Permission.DELETE,
            _("Delete registry"),
            f"kubectl delete {RESOURCE} {registry.name} {where}",
        ),
    )
    able = [(text, does) for permission, does, text in offered if access.may(permission, registry.namespace)]
    return {text: does for text, does in able if text and NOT_VALID not in text}


def _expiries(registry: RegistrySecret) -> dict[str, str]:
    """When the credential and the certificate expire, in words, by the code of the Ending: those that do so soon."""
    today = timezone.localdate()
    soon = (it for it in registry.endings if it[0] <= today + EXPIRES_SOON)
    return {what.value: times.expiry(day, what, today) for day, what in soon}


def _silence(access: Access, registry: RegistrySecret) -> dict[str, Any]:
    """Until when messages about the registry wait, by which silences, and where a person with the right to edit changes
    this and the interval of the checks. One that is being deleted is not checked any more."""
    now = timezone.now()
    silenced = ends([registry], now).get(registry.uid)
    found = in_force(access=access, registry=registry, now=now) if silenced else []
    if registry.deleting or not access.may(Permission.EDIT, registry.namespace):
        return {"silenced": silenced, "silences": found}
    query = urlencode({"namespace": registry.namespace, "name": registry.name})
    return {
        "silenced": silenced,
        "silences": found,
        "silence_url": f"{reverse('registries:silence_add')}?{query}",
        "interval_url": f"{details_url(registry.key)}interval/",
    }


def curl(request: ConsoleRequest, registry: RegistrySecret, access: Access) -> str:
    """A curl command that tests the registry, or gets it without the permission to test. It asks for the token."""
    path = f"{API_ROOT}/{API_VERSION}/namespaces/{registry.namespace}/registry-secrets/{registry.name}"
    method = ""
    if access.may(Permission.TEST, registry.namespace):
        path, method = f"{path}/verify", "-X POST "
    return f"{ASK_TOKEN}; curl {method}{BEARER} {shlex.quote(request.build_absolute_uri(path))}"


def _event_text(entry: AuditEntry) -> str:
    if entry.outcome != OK:
        return str(journal.RESULTS.get(entry.outcome, entry.outcome))
    return labels.reason(entry.note) if entry.action == "test" else ""
