"""The live checks of the add dialog: the name, the address, and a CA certificate, while they are typed."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.addresses import Address, AddressError, parse_address
from registries.domain.access import Permission, role_for
from registries.domain.errors import Cause, Forbidden, Problem
from registries.domain.metadata import name_problem
from registries.domain.registry import Provider
from registries.intake import BUNDLE_MAX, BundleError, read_bundle, suggested_name
from registries.log_in.access import ConsoleRequest
from registries.mirrors.words import credential_warning
from registries.wiring import services
from registries.words import labels, providers
from registries.words.causes import cause_text
from registries.words.pull_secrets import image_problem

OFFERED = frozenset({Provider.DOCKERHUB, Provider.ALIYUN})
"""The providers that a host alone tells for certain."""


@require_safe
def check_name(request: ConsoleRequest) -> HttpResponse:
    """Whether the name is free, and a suggestion, which the page uses if no name was typed."""
    access = request.access
    namespace, name = request.GET.get("namespace", ""), request.GET.get("name", "").strip()
    taken = name in _names(request, namespace)
    context = {"name": name, "taken": taken, "problem": name_problem(name), "namespace": namespace}
    response = render(request, "registry/_check_name.html", context)
    if access.may(Permission.CREATE, namespace):
        provider = provider_of(request)
        trigger_client_event(response, "name-suggested", {"name": suggestion(request, provider, namespace)})
    return response


@require_safe
def check_address(request: ConsoleRequest) -> HttpResponse:
    """The normalized address, its image reference, and registries with the same address and user name.

    With `follows`, the provider is that of the address; the page chooses it.
    """
    text = request.GET.get("domain", "")
    context: dict[str, Any] = {}
    found: Provider | None = None
    if text.strip():
        try:
            address = parse_address(text)
        except AddressError as error:
            context["problem"] = cause_text(Cause("domain", Problem(error.problem), part=error.part))
        else:
            found = providers.provider_of(address)
            context = _about(request, address, found)
            context["warnings"] += filter(None, [credential_warning(services().mirrors.hosts(text))])
    response = render(request, "registry/_check_address.html", context)
    if "follows" in request.GET:
        trigger_client_event(response, "provider-found", {"provider": found or ""})
    return response


def _about(request: ConsoleRequest, address: Address, found: Provider | None) -> dict[str, Any]:
    """What is said of an address. `found` is its provider."""
    provider, meant = provider_of(request), providers.meant_host(address.host)
    if "follows" in request.GET:
        provider = found or provider
    other = found in OFFERED and found is not provider and not meant
    return {
        "address": address,
        "warnings": [labels.warning(code) for code in address.warnings],
        "meant": meant,
        "account_hint": providers.account_hint(address.host),
        "offered": found if other else "",
        "offered_label": labels.PROVIDERS[found] if other and found else "",
        "image_problem": image_problem(address.registry_url),
        "sample": providers.sample_image(address.registry_url, provider),
        "twins": services().index.twins(
            access=request.access,
            namespace=request.GET.get("namespace", ""),
            domain=address.canonical,
            username=request.GET.get("username", "").strip(),
        ),
    }


@require_POST
def check_ca(request: ConsoleRequest) -> HttpResponse:
    """Subject, validity and fingerprint of a pasted CA certificate.

    Forbidden without EDIT in any namespace: reading a certificate costs time.
    """
    if not request.access.may_anywhere(Permission.EDIT):
        raise Forbidden("", role_for(Permission.EDIT))
    text = request.POST.get("ca_bundle", "")
    context: dict[str, Any] = {"now": datetime.now(UTC)}
    if text.strip():
        try:
            context["authorities"] = read_bundle(text)[1]
        except BundleError as error:
            context["problem"] = cause_text(Cause("ca_bundle", error.problem, BUNDLE_MAX))
    return render(request, "registry/_check_ca.html", context)


def _names(request: ConsoleRequest, namespace: str) -> frozenset[str]:
    return services().index.names(access=request.access, namespace=namespace)


def suggestion(request: ConsoleRequest, provider: Provider, namespace: str) -> str:
    return suggested_name(provider, namespace, _names(request, namespace))


def provider_of(request: ConsoleRequest) -> Provider:
    try:
        return Provider(request.GET.get("provider", ""))
    except ValueError:
        return Provider.OTHER
