"""The page of all rules: for whoever sees their sources, with the namespaces that this person sees."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registries.domain.access import Role
from registries.models import SyncCopy, SyncRule
from registries.people.grants import set_grant
from registries.sync.rows import Selection
from registries.wiring import services
from registries.words.sync import COUNTED
from tests.cast import Cast
from tests.sync.following import change, create_namespace, in_b, keep, turn
from tests.web.sync_pages import as_code


def page(cast: Cast, person: str = "olive") -> str:
    response = cast.client(person).get("/rules/")
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode().split("<main")[1])


@pytest.fixture
def several(cast: Cast) -> Cast:
    create_namespace(cast, "team-c")
    cast.add(namespace="team-c", username="robot")
    keep(cast, cast.add())
    keep(cast, cast.add("another", "team-b"), Selection(names=("team-a", "elsewhere")))
    turn()
    change(cast, in_b(cast), "by-hand-1")
    turn()
    return cast


SEEN = {
    "olive": ["team-a/harbor-prod", "team-b/another"],
    "nina": ["team-a/harbor-prod"],
    "vic": ["team-a/harbor-prod"],
}


@pytest.mark.parametrize("person", SEEN)
def test_it_lists_the_rules_whose_sources_one_sees(several: Cast, person: str) -> None:
    shown = page(several, person)

    names = re.findall(r"<strong class=\"mono\">([^<]+)</strong></a>", shown.replace("<wbr>", ""))
    assert names == SEEN[person]
    assert ("team-b" in shown) is (person == "olive")


def test_it_counts_what_needs_a_person(several: Cast) -> None:
    shown = page(several)

    counted = re.findall(r'form-text">(\d[^<]+)</p>', shown)
    assert counted == [str(COUNTED["changed name_taken deleted"]) % {"n": 2}]
    assert as_code("elsewhere", "team-a") in shown
    assert "pill-bad" not in shown


def test_a_copy_that_could_not_be_written_comes_first(several: Cast) -> None:
    SyncCopy.objects.filter(state="changed").update(state="failed")

    shown = page(several)

    rule = shown.split("team-a/<wbr>harbor-prod")[1].split("</tr>")[0]
    assert rule.index("已开启，部分失败") < rule.index('<p class="text-bad">1 个写入失败</p>')
    assert rule.index("写入失败</p>") < rule.index("个副本已同步")
    assert shown.count("pill-bad") == 1


@pytest.mark.parametrize("person", ["olive", "sam"])
def test_without_rules_it_says_how_to_make_one(cast: Cast, person: str) -> None:
    shown = page(cast, person)

    assert ("尚无规则" in shown) is (person == "olive")
    assert ("你的命名空间中没有同步规则" in shown) is (person == "sam"), "others may have some"
    assert ('<span class="unbroken">image-admin</span> 角色' in shown) is (person == "sam"), "one line"
    assert ("打开镜像源" in shown) is (person == "olive")


def test_a_source_that_is_gone_is_no_link(several: Cast) -> None:
    source = several.find()
    services().registries.delete(access=several.access("olive"), key=source.key, uid=source.uid)
    turn()
    assert SyncRule.objects.get(uid=source.uid).state == "source_gone"

    shown = page(several)

    assert 'href="/registries/team-a/harbor-prod/"' not in shown
    assert "来源已删除" in shown
    for person in ("nina", "vic"):
        assert source.key.name not in page(several, person), "a later namespace of this name has other people"

    several.add(password="another-1")

    assert '<a href="/registries/team-a/harbor-prod/">关联到现在的同名镜像源</a>' in page(several)


@pytest.mark.parametrize(("person", "number"), {"olive": 23, "nina": 3, "vic": 3}.items())
def test_the_database_counts(cast: Cast, person: str, number: int) -> None:
    """Rules and namespaces may be many: whoever opens the page must not read all of it."""
    keep(cast, cast.add())
    rule = SyncRule.objects.get()
    for place in range(20):
        SyncCopy.objects.create(rule=rule, namespace=f"other-{place}", state="changed")
    for place in range(3):
        SyncCopy.objects.create(rule=rule, namespace=f"mine-{place}", state="changed")
        if person != "olive":
            set_grant(cast.users[person], f"mine-{place}", Role.VIEWER)

    with CaptureQueriesContext(connection) as queries:
        shown = page(cast, person)

    assert f"{COUNTED['changed name_taken deleted'] % {'n': number}}<" in shown
    asked = [it["sql"] for it in queries if "registries_synccopy" in it["sql"]]
    assert len(asked) == 1
    assert "COUNT" in asked[0]


def test_administrators_find_it(cast: Cast) -> None:
    assert 'href="/rules/"' in cast.client("olive").get("/overview/").content.decode()
    assert 'href="/rules/"' not in cast.client("nina").get("/overview/").content.decode()


def test_it_does_not_exist_for_people_of_a_cluster(cast: Cast) -> None:
    services().sync_rules.available = False

    assert cast.client("olive").get("/rules/").status_code == 404
