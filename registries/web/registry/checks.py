"""The live checks of the add dialog: the name, the address, and a CA certificate, while they are typed."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.addresses import AddressError, parse_address
from registries.domain.access import Permission, role_for
from registries.domain.errors import Cause, Forbidden, Problem
from registries.domain.metadata import name_problem
from registries.domain.registry import Provider
from registries.intake import BUNDLE_MAX, BundleError, read_bundle, suggested_name
from registries.log_in.access import ConsoleRequest
from registries.mirrors.words import credential_warning
from registries.wiring import services
from registries.words import labels, providers
from registries.words.problems import cause_text
from registries.words.pull_secrets import image_problem


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
    """The normalized address, its image reference, and registries with the same address and user name."""
    text, username = request.GET.get("domain", ""), request.GET.get("username", "").strip()
    context: dict[str, Any] = {}
    if text.strip():
        try:
            address = parse_address(text)
        except AddressError as error:
            context["problem"] = cause_text(Cause("domain", Problem(error.problem), part=error.part))
        else:
            namespace, provider = request.GET.get("namespace", ""), provider_of(request)
            context = {
                "address": address,
                "warnings": [
                    *(labels.warning(code) for code in address.warnings),
                    *filter(None, [credential_warning(services().mirrors.hosts(text))]),
                ],
                "meant": providers.meant_host(address.host),
                "account_hint": providers.account_hint(address.host),
                "is_aliyun": provider is not Provider.ALIYUN and providers.is_aliyun(address.host),
                "image_problem": image_problem(address.registry_url),
                "sample": providers.sample_image(address.registry_url, provider),
                "twins": services().index.twins(
                    access=request.access,
                    namespace=namespace,
                    domain=address.canonical,
                    username=username,
                ),
            }
    return render(request, "registry/_check_address.html", context)


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
