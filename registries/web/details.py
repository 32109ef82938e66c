"""The details page: all fields without the password, the last verdicts, YAML, commands and events."""

import json
import shlex
from datetime import UTC, datetime
from typing import Any

import yaml
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registries.audit.action import OK
from registries.audit.log import events_of
from registries.domain.access import Access, Permission
from registries.domain.errors import NotFound, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import API_GROUP, API_VERSION, PREFIX
from registries.intake.ca_bundle import BundleError, read_bundle
from registries.log_in.access import ConsoleRequest
from registries.models import AuditEntry
from registries.probe.certificate import CertificateFacts
from registries.web import pull_secrets
from registries.web.responses import details_url, is_htmx, pulse_every
from registries.web.test_one import panel
from registries.wiring import services
from registries.words import labels, presets
from registries.words.actions import offered
from registries.words.problems import problem_text

RESOURCE = f"registrysecrets.{API_GROUP}"


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
        return _gone(request, key, Problem.GONE)
    if shown and registry.uid != shown.partition("/")[0]:
        return _gone(request, key, Problem.RECREATED, details_url(key))
    context = _context(request, access, registry)
    if shown:
        return render(request, "registries/_details.html", {**context, "redrawn": True})
    return render(request, "registries/details.html", context)


def _gone(request: ConsoleRequest, key: Key, problem: Problem, url: str = "") -> HttpResponse:
    context = {"key": key, "text": problem_text(problem), "url": url}
    return render(request, "registries/_details_gone.html", context)


def _version(registry: RegistrySecret) -> str:
    """A text that changes with the registry, its events and the state of the store."""
    newest = events_of(registry, 1)
    event, problem = newest[0].pk if newest else 0, services().index.freshness().problem or ""
    return f"{registry.uid}/{registry.resource_version}/{event}/{problem}"


def _context(request: ConsoleRequest, access: Access, registry: RegistrySecret) -> dict[str, Any]:
    # Read it first: a change during the other reads then gives a new version.
    version = _version(registry)
    check = services().history.under_way([registry.uid]).get(registry.uid)
    acting = request.acting_access
    return {
        "version": version,
        "pulse_every": pulse_every(),
        **panel(acting, registry, check),
        "actions": offered(acting, registry.namespace),
        "authorities": _authorities(registry),
        "now": datetime.now(UTC),
        "yaml": as_yaml(registry),
        **pull_secrets.panel(access, acting, registry),
        "commands": commands(registry, access),
        "curl": curl(request, registry, access),
        "sample": presets.sample_image(registry.domain, registry.provider),
        "events": [
            {
                "entry": entry,
                "action": labels.ACTIONS.get(entry.action, entry.action),
                "text": _event_text(entry),
            }
            for entry in events_of(registry)
        ],
    }


def _authorities(registry: RegistrySecret) -> tuple[CertificateFacts, ...]:
    """The registry's custom CAs; empty if they are unreadable, for example after kubectl apply."""
    try:
        return read_bundle(registry.ca_bundle)[1] if registry.ca_bundle else ()
    except BundleError:
        return ()


def as_yaml(registry: RegistrySecret) -> str:
    """The resource as YAML, as kubectl prints it, with a placeholder for the password."""
    resource = json.loads(registry.document)
    shown = {**resource, "spec": {**resource["spec"], "password": "(hidden)"}}
    return yaml.dump(shown, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)


class _Dumper(yaml.SafeDumper):
    """Prints texts of several lines as a block, as kubectl does."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def commands(registry: RegistrySecret, access: Access) -> list[str]:
    """kubectl commands for the person's role. None prints the password."""
    where = f"-n {registry.namespace}"
    columns = "custom-columns=NAME:.metadata.name,DOMAIN:.spec.domain,USER:.spec.username"
    note = shlex.quote(f"{PREFIX}display-name={registry.display_name}")
    offered = {
        Permission.SEE: f"kubectl get {RESOURCE} {registry.name} {where} -o {columns}",
        Permission.EDIT: f"kubectl annotate {RESOURCE} {registry.name} {where} --overwrite {note}",
        Permission.DELETE: f"kubectl delete {RESOURCE} {registry.name} {where}",
    }
    return [text for permission, text in offered.items() if access.may(permission, registry.namespace)]


def curl(request: ConsoleRequest, registry: RegistrySecret, access: Access) -> str:
    """A curl command that tests the registry, or gets it without the permission to test. The token is missing."""
    path = f"/oapis/{API_VERSION}/namespaces/{registry.namespace}/registry-secrets/{registry.name}"
    method = ""
    if access.may(Permission.TEST, registry.namespace):
        path, method = f"{path}/verify", "-X POST "
    return f'curl {method}-H "Authorization: Bearer $TOKEN" {shlex.quote(request.build_absolute_uri(path))}'


def _event_text(entry: AuditEntry) -> str:
    if entry.outcome != OK:
        return str(labels.OUTCOMES.get(entry.outcome, entry.outcome))
    return labels.reason(entry.note) if entry.action == "test" else ""
