"""Groups of the list, the order "broke last first", and their places in the address."""

import json
import re
from datetime import datetime, timedelta
from html import unescape
from itertools import product

import pytest
from django.utils import timezone

from registries.domain.query import Criteria, Filter, Group, ListQuery, Member, Sort
from registries.domain.registry import RegistrySecret
from registries.domain.resource import PREFIX, milliseconds
from registries.models import RunItem, ScheduledCredential, ScheduledRegistry, StateChange
from registries.schedule.recent import FailingSince
from registries.web import filters
from registries.wiring import services
from tests.cast import Cast

LIST = "/registries/"
NOW = timezone.now()


def judge(registry: RegistrySecret, reason: str, since: datetime | None = None) -> None:
    status = "success" if reason.startswith("ok") else "failed"
    notes = {"verify-status": status, "verify-reason": reason, "verify-timestamp": str(milliseconds(NOW))}
    patch: dict[str, str | None] = {PREFIX + name: value for name, value in notes.items()}
    services().store.annotate(registry.key, patch, uid=registry.uid)
    if since:
        row = ScheduledCredential.objects.create(
            digest=registry.uid, host="h:443", username="u", settled="failing", since=since
        )
        ScheduledRegistry.objects.create(
            uid=registry.uid,
            namespace=registry.namespace,
            name=registry.name,
            fingerprint="",
            credential=row,
        )


@pytest.fixture
def morning(cast: Cast) -> Cast:
    """Two hosts, of which one is broken in two namespaces for two causes."""
    for number, (namespace, host, user, reason) in enumerate(
        (
            ("team-a", "harbor.example.com", "ann", "bad_credentials"),
            ("team-b", "harbor.example.com", "ann", "bad_credentials"),
            ("team-a", "harbor.example.com", "bob", "timeout"),
            ("team-a", "quay.example.com:5000", "ann", "ok"),
            ("team-b", "quay.example.com:5000", "ann", ""),
        )
    ):
        registry = cast.add(f"r-{number}", namespace, domain=host, username=user)
        if reason:
            judge(registry, reason, NOW - timedelta(hours=number) if not reason.startswith("ok") else None)
    return cast


def shown(cast: Cast, query: str, person: str = "olive") -> list[str]:
    """The rows of the list in words: those of groups as they are, those of registries as their names."""
    client = cast.client(person)
    client.cookies["django_language"] = "en"
    page = client.get(f"{LIST}?{query}").content.decode()
    rows = re.findall(r"<tr (.*?)</tr>", page[page.index("<tbody") :], re.DOTALL)
    named = (re.search('data-title="([^"]+)"', it) for it in rows)
    return [name[1] if name else in_words(it) for it, name in zip(rows, named, strict=True)]


def in_words(markup: str) -> str:
    whole = re.sub(r'<span class="head">([^<]*)</span>', r"\1", markup.partition(">")[2])
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", whole)).split())


FAILING = "3 failing: 2 × Wrong user name or password · 1 × Timed out"
HARBOR = f"harbor.example.com 3 registries in 2 namespaces {FAILING} Test these 3"
QUAY = "quay.example.com:5000 2 registries in 2 namespaces Test these 2"


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("group=host", [HARBOR, "r-0", "r-1", "r-2", QUAY, "r-4", "r-3"]),
        ("group=host&sort=name", [HARBOR, "r-0", "r-1", "r-2", QUAY, "r-3", "r-4"]),
        ("group=host&sort=-name", [HARBOR, "r-2", "r-1", "r-0", QUAY, "r-4", "r-3"]),
        ("group=host&status=failed", [HARBOR, "r-0", "r-1", "r-2"]),
        (
            "group=cause",
            [
                "Wrong user name or password 2 registries in 2 namespaces 2 failing Test these 2",
                "r-0",
                "r-1",
                "Causes with one registry",
                "r-2",
                "r-4",
                "r-3",
            ],
        ),
        (
            "group=credential&status=failed",
            [
                "ann @ harbor.example.com 2 registries in 2 namespaces 2 failing: Wrong user name or password "
                "Test these 2",
                "r-0",
                "r-1",
                "Credentials with one registry",
                "r-2",
            ],
        ),
        ("group=credential&namespace=team-a", ["Credentials with one registry", "r-0", "r-2", "r-3"]),
        ("group=host&namespace=team-b&sort=-name", ["Hosts with one registry", "r-1", "r-4"]),
        ("group=host&in=host:quay.example.com:5000", [QUAY, "r-4", "r-3"]),
        ("in=credential:harbor.example.com+bob", ["r-2"]),
        ("in=cause:timeout", ["r-2"]),
        ("group=bogus&in=bogus:x", ["r-0", "r-2", "r-3", "r-1", "r-4"]),
        ("in=host", ["r-0", "r-2", "r-3", "r-1", "r-4"]),
    ],
)
def test_groups_say_how_many_fail_and_why(morning: Cast, query: str, rows: list[str]) -> None:
    assert shown(morning, query) == rows


def test_a_cause_on_several_hosts_says_on_how_many(cast: Cast) -> None:
    for host in ("harbor.example.com", "quay.example.com"):
        judge(cast.add(host.partition(".")[0], domain=host), "timeout")

    head = shown(cast, "group=cause")[0]

    assert head == "Timed out 2 registries in one namespace on 2 hosts 2 failing Test these 2"


def test_a_host_where_all_fail_for_other_causes_says_how_many(cast: Cast) -> None:
    for number, reason in enumerate(("timeout", "dns_failed", "bad_credentials")):
        judge(cast.add(f"r-{number}", domain="harbor.example.com"), reason)

    head = shown(cast, "group=host")[0]

    assert head == "harbor.example.com 3 registries in one namespace 3 failing: 3 causes Test these 3"


def test_a_group_that_began_on_a_page_before_says_so(cast: Cast) -> None:
    for number in range(15):
        cast.add(f"r-{number:02}", domain="harbor.example.com")
    first, second = (shown(cast, f"group=host&size=10&page={page}") for page in (1, 2))
    assert first[0] == "harbor.example.com 15 registries in one namespace Test these 15"
    assert second[0] == "harbor.example.com continued 15 registries in one namespace Test these 15"
    assert (len(first), len(second)) == (11, 6)


def test_a_group_counts_only_what_a_person_may_see_and_offers_only_what_one_may_do(morning: Cast) -> None:
    for person, ends in (("omar", " Test these 2"), ("vic", "")):
        rows = shown(morning, "group=host", person)
        failing = "2 failing: 1 × Wrong user name or password · 1 × Timed out"
        assert rows[0] == f"harbor.example.com 2 registries in one namespace {failing}{ends}"
        assert "r-1" not in rows
    markup = morning.client("vic").get(f"{LIST}?group=host").content.decode()
    assert "pick-group" not in markup
    assert "group-test" not in markup


def test_what_people_typed_stays_text_in_a_group(cast: Cast) -> None:
    for name in ("a", "b"):
        cast.add(name, username="<b>'\"&x=1#%")
    page = cast.client("olive").get(f"{LIST}?group=credential").content.decode()
    assert "<b>" not in page
    url = re.search(r'class="group-name[^>]*href="([^"]+)"', page)
    assert url
    again = cast.client("olive").get(unescape(url[1])).content.decode()
    assert "data-title" in again, "the address of the group finds it"


def test_a_user_and_a_host_are_cut_in_the_middle_each(cast: Cast) -> None:
    for name in ("a", "b"):
        cast.add(name, username="robot$team-a+deploy", domain="harbor.example.com")
    page = cast.client("olive").get(f"{LIST}?group=credential").content.decode()
    name = page[page.index('class="group-name') :].partition("</a>")[0]
    assert re.findall('<span class="head">([^<]*)</span>([^<]*)', name) == [
        ("robot$team-a", "+deploy"),
        ("harbor.exam", "ple.com"),
    ]


def test_a_test_of_a_group_tests_the_whole_group(morning: Cast) -> None:
    page = morning.client("olive").get(f"{LIST}?group=host&size=10").content.decode()
    query = unescape(re.findall(r'data-query="([^"]*)"', page[page.index("group-test") :])[0])
    found = morning.client("olive").get(f"/registries/-/selection/?{query}")
    assert len(json.loads(found.content)["uids"]) == 3
    started = morning.client("olive", hx_request="true").post("/registries/-/verify/", {"query": query})
    assert started.status_code == 200
    assert set(RunItem.objects.values_list("name", flat=True)) == {"r-0", "r-1", "r-2"}


def test_what_broke_last_stands_first_among_the_failing_ones_by_itself(morning: Cast) -> None:
    assert shown(morning, "status=failed") == ["r-0", "r-1", "r-2"]
    assert shown(morning, "status=failed&sort=-broke") == ["r-2", "r-1", "r-0"]
    assert shown(morning, "sort=broke")[:3] == ["r-0", "r-1", "r-2"]
    row = ScheduledRegistry.objects.get(name="r-2").credential
    ScheduledCredential.objects.filter(pk=row.pk).update(since=NOW + timedelta(minutes=1))
    StateChange.objects.create(
        uid="x", namespace="n", name="x", host="h", at=NOW, before="ok", after="failing", reason="timeout"
    )
    assert shown(morning, "status=failed") == ["r-2", "r-0", "r-1"], "at once"


@pytest.mark.parametrize(("query", "order"), [("sort=broke", "ascending"), ("sort=-broke", "descending")])
def test_the_head_sorts_by_how_long_a_registry_fails(morning: Cast, query: str, order: str) -> None:
    client = morning.client("olive")
    client.cookies["django_language"] = "en"
    page = client.get(f"{LIST}?{query}").content.decode()
    assert re.search(f'id="sort-broke"[^>]* data-order="{order}">Failing for</a>', page)


def test_the_times_of_failures_are_read_again_after_a_change_only(
    morning: Cast, django_assert_num_queries: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = FailingSince()
    first = since()
    assert len(first) == 3
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert since() is first
    clock = iter((1e9, 1e9))
    monkeypatch.setattr("registries.schedule.recent.monotonic", lambda: next(clock))
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert since() is first, "a minute later: nothing differs"


def test_an_address_has_every_choice() -> None:
    members = (None, Member(Group.HOST, "h:5"), Member(Group.CREDENTIAL, "h:5 a b:c&d"))
    statuses, groups = (None, Filter.FAILED, Filter.STALE), (None, *Group)
    for member, group, status, sort, falls in product(members, groups, statuses, Sort, (False, True)):
        query = ListQuery(Criteria(status=status, member=member), sort, falls, group=group)
        assert filters.read(filters.parameters(query)) == query


@pytest.mark.parametrize(
    ("query", "changes", "becomes"),
    [
        ({}, {"status": Filter.FAILED}, {"status": "failed"}),
        ({"status": "failed"}, {"status": None}, {}),
        ({"status": "failed", "sort": "name"}, {"status": None}, {"sort": "name"}),
        ({"status": "failed"}, {"sort": Sort.NAMESPACE}, {"status": "failed", "sort": "namespace"}),
        ({"status": "failed", "group": "host"}, {"group": None}, {"status": "failed"}),
        ({"group": "host"}, {"group": None}, {}),
        ({"group": "host"}, {"member": Member(Group.HOST, "h")}, {"in": "host:h", "group": "host"}),
    ],
)
def test_the_usual_order_follows_the_view(
    query: dict[str, str], changes: dict[str, object], becomes: dict[str, str]
) -> None:
    assert filters.url(filters.read(query), **changes) == filters.url(filters.read(becomes))
