"""The details page: every field but the password, the last verdicts, the YAML, kubectl, and what happened."""

import shlex
from datetime import UTC, datetime

import yaml
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registries import audit, labels, presets, wiring
from registries.authorities import Authority, BundleError, read_bundle
from registries.domain import Key, RegistrySecret
from registries.models import AuditEntry
from registries.records import OK
from registries.resource import API_GROUP, API_VERSION, PREFIX, Resource
from registries.views import pulling
from registries.views.people import access_to, acting_access
from registries.views.verify import panel

RESOURCE = f"registrysecrets.{API_GROUP}"


@require_safe
def details(request: HttpRequest, namespace: str, name: str) -> HttpResponse:
    access = access_to(request)
    registry, resource = wiring.service().shown(access=access, key=Key(namespace, name))
    check = wiring.history().under_way([registry.uid]).get(registry.uid)
    acting = acting_access(request)
    context = {
        **panel(acting, registry, check),
        "authorities": _authorities(registry),
        "now": datetime.now(UTC),
        "yaml": as_yaml(resource) if resource else "",
        **pulling.panel(access, acting, registry),
        "commands": commands(registry),
        "curl": curl(request, registry),
        "sample": presets.sample_image(registry.domain, registry.provider),
        "events": [
            {
                "entry": entry,
                "action": labels.ACTIONS.get(entry.action, entry.action),
                "text": _event_text(entry),
            }
            for entry in audit.events_of(registry)
        ],
    }
    return render(request, "registries/details.html", context)


def _authorities(registry: RegistrySecret) -> tuple[Authority, ...]:
    """The registry's own CAs; none when what kubectl applied cannot be read."""
    try:
        return read_bundle(registry.ca_bundle)[1] if registry.ca_bundle else ()
    except BundleError:
        return ()


def as_yaml(resource: Resource) -> str:
    """The resource as kubectl would print it; the password is not in it and its place says so."""
    shown = {**resource, "spec": {**resource["spec"], "password": "(hidden)"}}
    return yaml.dump(shown, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000)


class _Dumper(yaml.SafeDumper):
    """Several lines as a block, as kubectl prints them: a certificate is copied from there."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def commands(registry: RegistrySecret) -> list[tuple[str, str]]:
    """What kubectl would do the same with. Nothing that would print the password."""
    where = f"-n {registry.namespace}"
    columns = "custom-columns=NAME:.metadata.name,DOMAIN:.spec.domain,USER:.spec.username"
    note = shlex.quote(f"{PREFIX}display-name={registry.display_name}")
    return [
        ("show", f"kubectl get {RESOURCE} {registry.name} {where} -o {columns}"),
        ("edit", f"kubectl annotate {RESOURCE} {registry.name} {where} --overwrite {note}"),
        ("delete", f"kubectl delete {RESOURCE} {registry.name} {where}"),
    ]


def curl(request: HttpRequest, registry: RegistrySecret) -> str:
    """A test through the API, ready but for the token."""
    path = f"/oapis/{API_VERSION}/namespaces/{registry.namespace}/registry-secrets/{registry.name}/verify"
    return f'curl -X POST -H "Authorization: Bearer $TOKEN" {shlex.quote(request.build_absolute_uri(path))}'


def _event_text(entry: AuditEntry) -> str:
    if entry.outcome != OK:
        return str(labels.OUTCOMES.get(entry.outcome, entry.outcome))
    return labels.reason(entry.note) if entry.action == "test" else ""
