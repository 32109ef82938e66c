"""同步规则 (all sync rules), of the sources that a person sees."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from registries.log_in.access import ConsoleRequest
from registries.sync.views import RuleView
from registries.web.registry.sync import why
from registries.web.registry.sync_scope import scope_of
from registries.web.responses import details_url
from registries.wiring import services
from registries.words.sync import counts_texts, rule_label


@require_safe
def rules(request: ConsoleRequest) -> HttpResponse:
    """The page; NotFound where there are no rules."""
    index = services().index
    found = services().sync_rules.all(access=request.access)
    may = services().sync_rules.may_set_up(access=request.access)
    rows = [_row(it, there=index.known(request.access, it.rule.key), may=may) for it in found]
    context = {"rows": rows, "may": may, "everywhere": request.access.sees_everything}
    return render(request, "rules/rules.html", context)


def _row(view: RuleView, *, there: Any, may: bool) -> dict[str, Any]:
    rule, others = view.rule, counts_texts(view.counts)
    is_source = there is not None and there.uid == rule.uid
    return {
        "key": str(rule.key),
        "href": details_url(rule.key) if is_source else "",
        "relink": details_url(rule.key) if may and there is not None and not is_source else "",
        "scope": scope_of(view),
        "bind": rule.bind,
        "person": rule.person,
        "label": rule_label(rule.state, view.counts),
        "why": why(rule, may=may),
        "in_sync": view.in_sync,
        "failed": others.pop("failed", ""),
        "others": list(others.values()),
    }
