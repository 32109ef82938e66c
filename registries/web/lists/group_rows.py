"""The row above each group of a list: what its registries share, how many fail, and why."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString  # noqa: TID251
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.domain.access import Access, Permission
from registries.domain.query import Group, GroupHead, ListQuery
from registries.web import filters
from registries.web.registry_actions import offered_for_many
from registries.words import labels

REASONS = 2
"""Causes that are named."""


def with_heads(
    rows: Sequence[SafeString], query: ListQuery, groups: Iterable[GroupHead], access: Access
) -> SafeString:
    """The rows (HTML) of a page, each group below its head. Groups of one registry that follow each other share one."""
    many, parts, place = offered_for_many(access), list[str](), 0
    shared = {
        "selectable": bool(many),
        "may_test": any(action.permission is Permission.TEST for action in many),
    }
    number = 0
    for alone, some in groupby(groups, lambda it: it.alone):
        heads = list(some)
        for head, count in [(heads[0], len(heads))] if alone else [(it, it.rows) for it in heads]:
            context = _ones(head, count) if alone else _group(head, query)
            context |= shared | {"number": number}
            parts += [render_to_string("lists/_group.html", context), *rows[place : place + count]]
            place, number = place + count, number + 1
    return SafeString("".join(parts))  # each was escaped by its template


def _ones(head: GroupHead, count: int) -> dict[str, Any]:
    """The context of one head for several groups of one registry."""
    return {"ones": True, "total": count, "text": labels.GROUPS_OF_ONE[head.member.group]}


def _group(head: GroupHead, query: ListQuery) -> dict[str, Any]:
    url, text = filters.url(query, member=head.member), labels.group(head.member)
    return {
        "head": head,
        "total": head.total,
        "text": text,
        "parts": text.rsplit(" @ ", 1),
        "spread": _spread(head),
        "failing": _failing(head),
        "url": url,
        "query": url.partition("?")[2],
    }


def counted(registries: int) -> str:
    """12 registries."""
    return ngettext("%(n)s registry", "%(n)s registries", registries) % {"n": f"{registries:,}"}


def spread(registries: int, namespaces: int) -> str:
    """12 registries in 7 namespaces."""
    return ngettext("%(number)s in one namespace", "%(number)s in %(n)d namespaces", namespaces) % {
        "number": counted(registries),
        "n": namespaces,
    }


def _spread(head: GroupHead) -> str:
    """Where a group is; for a cause also on how many hosts, if on several."""
    text = spread(head.total, head.namespaces)
    if head.member.group is not Group.CAUSE:
        return text
    return text if head.hosts < 2 else _("%(what)s on %(n)d hosts") % {"what": text, "n": head.hosts}


def _failing(head: GroupHead) -> str:
    """12 failing: wrong password; of several causes each has its number, and causes of one each are counted. A group
    by cause does not say it again."""
    if len(head.reasons) == 1:
        causes = labels.reason(head.reasons[0][0])
    elif head.reasons[REASONS:] and all(count == 1 for _code, count in head.reasons):
        causes = ngettext("%(n)d cause", "%(n)d causes", len(head.reasons)) % {"n": len(head.reasons)}
    else:
        named = [(labels.reason(code), count) for code, count in head.reasons[:REASONS]]
        numbered = [f"{count:,}\u00a0× {cause}" for cause, count in named if cause]
        causes = " · ".join([*numbered, *(["…"] if head.reasons[REASONS:] else [])])
    failing = ngettext("%(n)s failing", "%(n)s failing", head.failed) % {"n": f"{head.failed:,}"}
    if head.member.group is Group.CAUSE or not causes:
        return failing
    return _("%(failing)s: %(causes)s") % {"failing": failing, "causes": causes}
