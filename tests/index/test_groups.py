"""The order "broke last first", and groups by cause, host and credential, on any page."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import Random
from types import MappingProxyType

import pytest

from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.query import Criteria, Filter, Group, GroupHead, ListQuery, Member, Page, Sort
from registries.domain.registry import Key, Provider, RegistrySecret, Verification, VerifyStatus
from registries.index.order import VALUES
from registries.index.search import Index
from registries.stores.base import Changes, Freshness

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
HOURS = [NOW - timedelta(hours=it) for it in range(100)]
OUTCOMES = (
    (VerifyStatus.FAILED, "bad_credentials"),
    (VerifyStatus.FAILED, "timeout"),
    (VerifyStatus.FAILED, ""),
    (VerifyStatus.SUCCESS, "ok"),
    (VerifyStatus.SUCCESS, ""),
    (VerifyStatus.SUCCESS, "ok_unverified"),
    (VerifyStatus.UNTESTED, ""),
)
OLIVE = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
NINA = Access.from_grants("nina", [("team-0", Role.ADMIN), ("team-3", Role.ADMIN)])


class Fixed:
    """A store that holds these registries and never changes."""

    def __init__(self, items: list[RegistrySecret]) -> None:
        self._items = items

    def changes(self, version: str | None) -> Changes:
        names = frozenset(it.namespace for it in self._items)
        return Changes("1", version is None, () if version else tuple(self._items), namespaces=names)

    def freshness(self) -> Freshness:
        return Freshness()


def some(seed: int, number: int = 200) -> tuple[list[RegistrySecret], dict[str, datetime]]:
    """Registries, and since when some of those that fail do."""
    draw, items, since = Random(seed), [], {}
    for place in range(number):
        status, reason = draw.choice(OUTCOMES)
        tested = draw.choice(HOURS) if status is not VerifyStatus.UNTESTED else None
        uid = f"u-{place}"
        items.append(
            RegistrySecret(
                key=Key(f"team-{draw.randrange(5)}", f"r-{place:04}"),
                uid=uid,
                resource_version="1",
                created_at=NOW,
                domain=f"{draw.choice('abc')}.example.com",
                username=draw.choice(("ann", "bob", "robot$ci+pull x")),
                provider=Provider.OTHER,
                verification=Verification(status, reason, "", tested),
            )
        )
        if status is VerifyStatus.FAILED and tested and draw.random() < 0.7:
            since[uid] = tested - timedelta(minutes=draw.randrange(5000))
    return items, since


def index_of(items: list[RegistrySecret], since: dict[str, datetime]) -> Index:
    times = MappingProxyType(since)
    return Index(Fixed(items), lambda: NOW, lambda: times)  # type: ignore[arg-type]


def pages(index: Index, query: ListQuery, access: Access = OLIVE) -> list[Page]:
    first = index.page(access, query)
    rest = range(2, first.pages + 1)
    fields = {it: getattr(query, it) for it in ("criteria", "sort", "descending", "size", "group")}
    return [first, *(index.page(access, ListQuery(page=number, **fields)) for number in rest)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("access", [OLIVE, NINA], ids=lambda it: it.person)
@pytest.mark.parametrize("status", [None, Filter.FAILED])
def test_what_broke_last_stands_first(seed: int, access: Access, status: Filter | None) -> None:
    items, since = some(seed)
    query = ListQuery(Criteria(status=status), Sort.BROKE, size=50)
    shown = [it for page in pages(index_of(items, since), query, access) for it in page.items]

    failing = [it for it in shown if it.verification.status is VerifyStatus.FAILED]
    assert failing == shown[: len(failing)]
    assert len(shown) == len(set(shown)) > 20
    begins = [since.get(it.uid) or it.verification.at for it in failing]
    assert begins == sorted(begins, reverse=True)  # type: ignore[type-var]
    back = ListQuery(query.criteria, Sort.BROKE, descending=True, size=50)
    assert [it for page in pages(index_of(items, since), back, access) for it in page.items] == shown[::-1]


def test_another_time_of_a_failure_is_another_order() -> None:
    items, since = some(1)
    now = [MappingProxyType(since)]
    index = Index(Fixed(items), lambda: NOW, lambda: now[0])  # type: ignore[arg-type]
    query = ListQuery(Criteria(status=Filter.FAILED), Sort.BROKE)
    last = pages(index, query)[-1].items[-1]
    now[0] = MappingProxyType({**since, last.uid: NOW})

    assert index.page(OLIVE, query).items[0] == last


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("group", list(Group))
@pytest.mark.parametrize("access", [OLIVE, NINA], ids=lambda it: it.person)
@pytest.mark.parametrize(
    "criteria",
    [Criteria(), Criteria(status=Filter.FAILED), Criteria(text="r-00"), Criteria("team-3")],
    ids=["all", "failing", "searched", "namespace"],
)
def test_groups_are_whole_in_order_and_counted_on_every_page(
    seed: int, group: Group, access: Access, criteria: Criteria
) -> None:
    items, since = some(seed)
    index, size = index_of(items, since), 20
    plain = [
        it for page in pages(index, ListQuery(criteria, Sort.NAME, size=size), access) for it in page.items
    ]
    seen = pages(index, ListQuery(criteria, Sort.NAME, size=size, group=group), access)
    shown = [it for page in seen for it in page.items]

    assert sorted(it.name for it in shown) == [it.name for it in plain]
    value = VALUES[group]
    runs = [(name, list(found)) for name, found in groupby(shown, value)]
    assert len({name for name, _ in runs}) == len(runs), "each group once, over all pages"
    failing = [failed(members) for _, members in runs]
    assert failing == sorted(failing, reverse=True), "most failures first"
    for _, members in runs:
        assert members == sorted(members, key=lambda it: (it.name, it.namespace)), "the order within"
    whole, before = dict(runs), None
    for page in seen:
        assert sum(it.rows for it in page.groups) == len(page.items)
        place = 0
        for head in page.groups:
            rows, place = page.items[place : place + head.rows], place + head.rows
            assert {value(it) for it in rows} == {head.member.value}
            assert head == expected(head, whole[head.member.value], before)
            before = head.member.value


def failed(members: list[RegistrySecret]) -> int:
    return sum(it.verification.status is VerifyStatus.FAILED for it in members)


def expected(head: GroupHead, members: list[RegistrySecret], before: str | None) -> GroupHead:
    reasons = Counter(it.verification.reason for it in members if failed([it]))
    return GroupHead(
        member=head.member,
        rows=head.rows,
        continued=before == head.member.value,
        total=len(members),
        namespaces=len({it.namespace for it in members}),
        hosts=len({it.domain for it in members}),
        failed=failed(members),
        reasons=tuple(sorted(reasons.items(), key=lambda it: (-it[1], it[0]))),
    )


@pytest.mark.parametrize("group", list(Group))
def test_one_group_alone_can_be_asked_for(group: Group) -> None:
    items, since = some(4)
    index, value = index_of(items, since), VALUES[group]
    for name in {value(it) for it in items}:
        found = index.matching(OLIVE, Criteria(member=Member(group, name)))
        assert {it.uid for it in found} == {it.uid for it in items if value(it) == name}
    assert not index.matching(OLIVE, Criteria(member=Member(group, "nothing of this kind")))


def test_a_list_without_groups_has_none() -> None:
    assert index_of(*some(0)).page(OLIVE, ListQuery()).groups == ()
