"""测试连接 (test the connection) of a stored registry, and the images to choose for it. A click starts the test; the
row polls for its outcome.
"""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget, trigger_client_event

from registries.domain.access import Access
from registries.domain.errors import Invalid, NotFound, Problem
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.schedule.silences import ends
from registries.verification.history import SHOWN, Check, NotTested
from registries.web.lists.rows import NOTHING_SEEN, of_rows, poll_delay, row_of
from registries.web.lists.verdicts import verdict_of_stored
from registries.web.responses import details_url, is_htmx, part_of_page, toast
from registries.wiring import services
from registries.words import labels
from registries.words.causes import cause_text
from registries.words.problems import problem_text


@require_POST
def verify(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """Start a test, also of an image if there is one. Answers with the row, or with the panel of the details page."""
    key, image = Key(namespace, name), request.POST.get("chosen") or request.POST.get("image", "")
    try:
        begun = services().single_tests.start(access=request.access, key=key, image=image.strip())
    except Invalid as error:
        return _wrong_image(request, key, cause_text(error.causes[0]))
    if not is_htmx(request):
        return HttpResponseRedirect(details_url(key))
    return _shown(request, key, begun)


def _wrong_image(request: ConsoleRequest, key: Key, text: str) -> HttpResponse:
    """The text below the field, or as a message of the page."""
    if not is_htmx(request):
        messages.error(request, text)
        return HttpResponseRedirect(details_url(key))
    return reswap(retarget(HttpResponse(escape(text), status=422), "#image-error"), "innerHTML")


@require_safe
def row(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The row or the panel as it is now. It polls while a test is under way."""
    return _shown(request, Key(namespace, name))


def _shown(request: ConsoleRequest, key: Key, begun: Check | None = None) -> HttpResponse:
    """The row or the panel. While a test that this request began is running, its copy of the registry is shown."""
    service, access = services(), request.access
    check = service.history.under_way([begun.uid]).get(begun.uid) if begun else None
    registry = begun.registry if begun and check else None
    if registry is None:
        try:
            registry = service.registries.find(access=access, key=key)
        except NotFound:
            response = HttpResponse(status=404)
            trigger_client_event(response, "registries-changed", {})
            return toast(response, problem_text(Problem.GONE), kind="warn")
        check = service.history.under_way([registry.uid]).get(registry.uid)
    acting = request.acting_access
    if request.GET.get("show") == "panel":
        response = render(request, "registry/_panel.html", panel(acting, registry, check))
    else:
        now = datetime.now(UTC)
        seen = of_rows([registry], now).get(registry.uid, NOTHING_SEEN)
        context = {"row": row_of(registry, acting, check, now, seen)}
        response = render(request, "lists/_row.html", context)
    if check is None:
        _announce(response, registry, begun=begun is not None)
    return response


def _announce(response: HttpResponse, registry: RegistrySecret, *, begun: bool) -> None:
    """Updates the counts of the page after a test, and gives it the outcome for a toast. A test without a verdict has
    its toast on every page."""
    last = services().history.last(registry.uid)
    outcome = last.outcome if last else None
    event = {"uid": registry.uid, "href": details_url(registry.key)}
    if isinstance(outcome, NotTested):
        if not begun:
            toast(response, f"{registry.title}: {labels.outcome_text(outcome)}", kind="bad")
    elif outcome is not None:
        text = f"{registry.title}: {labels.outcome_text(outcome)}"
        event |= {"text": text, "kind": labels.verdict(outcome).kind}
    trigger_client_event(response, "registry-tested", event)


def panel(access: Access, registry: RegistrySecret, check: Check | None) -> dict[str, Any]:
    """The context of the verdict's panel on the details page."""
    now = datetime.now(UTC)
    recent = list(services().history.recent(registry.uid))
    bars = strip(recent)
    return {
        "row": row_of(registry, access, check, now),
        "registry": registry,
        "verdict": verdict_of_stored(registry, recent, now),
        "silenced": ends([registry], now).get(registry.uid),
        "strip": bars,
        "strip_text": strip_text(bars),
        "unverified": sum(bar["kind"] == "warn" for bar in bars),
        "delay": poll_delay(check.started_at, now) if check else "",
    }


@require_safe
def card(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The card that is shown when the pointer is over a status."""
    access = request.access
    registry = services().registries.find(access=access, key=Key(namespace, name))
    check = services().history.under_way([registry.uid]).get(registry.uid)
    seen = of_rows([registry], datetime.now(UTC)).get(registry.uid, NOTHING_SEEN)
    context = panel(access, registry, check) | {"seen": seen, "brief": True}
    return render(request, "registry/_card.html", context)


BAR = 9
"""From one bar of the strip to the next, in the units of its viewBox."""


def strip(recent: list[Check]) -> list[dict[str, Any]]:
    """The last tests as bars, oldest first: kind, text, time, and the place, of which the newest one has SHOWN - 1."""
    bars = []
    for place, check in enumerate(reversed(recent), SHOWN - len(recent)):
        if check.outcome is None:
            continue
        label = labels.verdict(check.outcome)
        text = labels.outcome_text(check.outcome)
        bars.append({"kind": label.kind, "text": text, "at": check.started_at, "x": place * BAR})
    return bars


def strip_text(bars: list[dict[str, Any]]) -> str:
    """The strip as a sentence, for screen readers."""
    failed = [bar["kind"] == "bad" for bar in bars]
    counts = {"n": len(failed), "good": failed.count(False), "bad": failed.count(True)}
    if failed and failed[-1]:
        return _("The last %(n)d tests: %(good)d connected, %(bad)d failed; the last one failed") % counts
    return _("The last %(n)d tests: %(good)d connected, %(bad)d failed; the last one connected") % counts


CHOICES = 12
"""Images that are offered."""


@part_of_page()
@require_safe
def image_choices(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The images of this registry that pods of the namespace run, as buttons."""
    images = services().images.of_pods(access=request.access, key=Key(namespace, name))
    return _choices(request, images)


@require_safe
def typed_image_choices(request: ConsoleRequest) -> HttpResponse:
    """The same for the typed address and the chosen namespace of the add dialog. A choice fills the field."""
    namespace, address = (request.GET.get(it, "").strip() for it in ("namespace", "domain"))
    images = services().images.of_host(access=request.access, namespace=namespace, address=address)
    return _choices(request, images, typed=True)


def _choices(request: ConsoleRequest, images: tuple[str, ...] | None, *, typed: bool = False) -> HttpResponse:
    found = images or ()
    context = {"images": found[:CHOICES], "more": max(0, len(found) - CHOICES), "typed": typed}
    return render(request, "lists/_image_choices.html", context)
