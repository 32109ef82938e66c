"""测试连接 of a stored registry: begun by a click, done in the background, asked about by its own row."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from registries.domain.access import Access
from registries.domain.errors import NotFound
from registries.domain.registry import Key, RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.verification.check import Check
from registries.web.responses import details_url, is_htmx, toast
from registries.web.rows import poll_delay, row_of, verdict_of_stored
from registries.wiring import services
from registries.words import labels


def start_test(access: Access, key: Key) -> None:
    """Begin a test and leave it to the background, unless one is under way already."""
    check, new = services().tests.begin_test(access=access, key=key)
    if new:
        services().test_threads.submit(partial(services().tests.finish_test, access=access, check=check))


@require_POST
def verify(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """Begin; the answer is the row, or the panel of the details page, that says so."""
    key = Key(namespace, name)
    start_test(request.access, key)
    if not is_htmx(request):
        return HttpResponseRedirect(details_url(key))
    return _shown(request, key, begun=True)


@require_safe
def row(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """The row, or the panel, as it is now."""
    return _shown(request, Key(namespace, name))


def _shown(request: ConsoleRequest, key: Key, *, begun: bool = False) -> HttpResponse:
    access = request.access
    try:
        registry = services().registries.find(access=access, key=key)
    except NotFound:
        response = HttpResponse(status=404)
        trigger_client_event(response, "registries-changed", {})
        return toast(response, labels.problem_text("gone"), kind="warn")
    check = services().history.under_way([registry.uid]).get(registry.uid)
    acting = request.acting_access
    if request.GET.get("show") == "panel":
        response = render(request, "registries/_panel.html", panel(acting, registry, check))
    else:
        context = {"row": row_of(registry, acting, check)}
        response = render(request, "registries/_row.html", context)
    if check is None:
        _announce(response, registry, begun=begun)
    return response


def _announce(response: HttpResponse, registry: RegistrySecret, *, begun: bool) -> None:
    """A test has ended: the counts above the table follow; a test that could not be made says why."""
    trigger_client_event(response, "registry-tested", {"uid": registry.uid})
    last = services().history.last(registry.uid)
    if last and last.outcome and last.outcome.problem and not begun:
        toast(response, f"{registry.title}: {labels.outcome_text(last.outcome)}", kind="bad")


def panel(access: Access, registry: RegistrySecret, check: Check | None) -> dict[str, Any]:
    """What the verdict's panel on the details page shows."""
    now = datetime.now(UTC)
    recent = list(services().history.recent(registry.uid))
    bars = strip(recent)
    return {
        "row": row_of(registry, access, check, now),
        "registry": registry,
        "verdict": verdict_of_stored(registry, recent[0] if recent else None, now),
        "strip": bars,
        "strip_text": strip_text(bars),
        "delay": poll_delay(check.started_at, now) if check else "",
    }


@require_safe
def card(request: ConsoleRequest, namespace: str, name: str) -> HttpResponse:
    """What hovering over a status shows."""
    access = request.access
    registry = services().registries.find(access=access, key=Key(namespace, name))
    check = services().history.under_way([registry.uid]).get(registry.uid)
    return render(request, "registries/_card.html", panel(access, registry, check))


def strip(recent: list[Check]) -> list[dict[str, Any]]:
    """The last tests as bars, oldest first: kind, what to say of it, and where it stands."""
    bars = []
    for position, check in enumerate(reversed(recent)):
        if check.outcome is None:
            continue
        label = labels.verdict(check.outcome)
        text = labels.outcome_text(check.outcome)
        bars.append({"kind": label.kind, "text": text, "at": check.started_at, "x": position * 9})
    return bars


def strip_text(bars: list[dict[str, Any]]) -> str:
    """The strip for who does not see it."""
    failed = [bar["kind"] == "bad" for bar in bars]
    counts = {"n": len(failed), "good": failed.count(False), "bad": failed.count(True)}
    if failed and failed[-1]:
        return _("The last %(n)d tests: %(good)d connected, %(bad)d failed; the last one failed") % counts
    return _("The last %(n)d tests: %(good)d connected, %(bad)d failed; the last one connected") % counts
