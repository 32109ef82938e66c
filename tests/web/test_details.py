"""The details page: every field but the password, and what an open one is told."""

import html
import re
import shlex
import subprocess
from dataclasses import replace

import pytest
import yaml
from django.utils.translation import override

from registries.domain.reading import to_domain
from registries.domain.registry import VerifyStatus
from registries.domain.resource import encode_password
from registries.domain.shown import NOT_VALID
from registries.web.registry.details import PLACE, commands
from registries.wiring import services
from registries.words.shell import BEARER
from tests.canary import CANARY
from tests.cast import Cast
from tests.web.details_pages import PATH, plain, shown


def test_shows_every_field_but_the_password(cast: Cast) -> None:
    cast.add(
        display_name="生产 Harbor", description="一\n二", domain="http://10.0.0.5:5000", username="robot$x"
    )

    page = shown(cast)

    for value in (
        "生产 Harbor",
        "一<br>二",
        "http://10.0.0.5:5000",
        "robot$x",
        "team-a",
        "10.0.0.5:5000/project/app:tag",
    ):
        assert value in page.replace("<wbr>", "")
    assert "已设置，不显示" in page


def test_each_button_that_copies_has_a_name_of_its_own(cast: Cast) -> None:
    cast.add(username="robot$x")

    names = re.findall('data-copy="[^"]*" aria-label="([^"]*)"', shown(cast))

    assert {"复制 harbor-prod", "复制 robot$x"} < set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("domain", "host"),
    [("registry", "registry:443"), ("[2001:db8::1]", "[2001:db8::1]:443"), ("h.example.com", "")],
)
def test_an_address_that_image_names_cannot_contain_is_pointed_out(
    cast: Cast, domain: str, host: str
) -> None:
    cast.add(domain=domain)

    page = shown(cast)

    assert ('id="image-problem"' in page) is bool(host)
    assert f"{host or domain}/project/app:tag" in page


def test_the_yaml_is_the_resource_without_the_password(cast: Cast) -> None:
    cast.add(display_name="yes: [1] & <b>")
    page = shown(cast)

    text = page[page.index("<code>", page.index('id="yaml"')) + 6 : page.index("</code></pre>")]
    resource = yaml.safe_load(html.unescape(text))

    assert resource["kind"] == "RegistrySecret"
    assert resource["metadata"]["annotations"]["theriseunion.io/display-name"] == "yes: [1] & <b>"
    assert resource["spec"] == {
        "domain": "harbor.example.com",
        "username": "admin",
        "provider": "harbor",
        "password": "(hidden)",
    }
    assert CANARY not in page


def test_a_long_namespace_is_cut_in_the_breadcrumb_and_whole_in_its_title(cast: Cast) -> None:
    namespace = "longest-" + "n" * 55
    services().registries.create_namespace(access=cast.access("olive"), name=namespace)
    cast.add(namespace=namespace)

    page = cast.client("olive").get(f"/registries/{namespace}/harbor-prod/").content.decode()

    assert f'title="{namespace}">longest-nnn…nnnnnnnnn</a>' in page


def test_a_hostile_display_name_is_quoted_in_the_commands(cast: Cast) -> None:
    it = cast.add(display_name="x'; rm -rf / #", description="$(reboot)\nsecond line")

    _, edit, _add, _password, delete = commands(it, cast.access("nina"))

    assert delete == "kubectl delete registrysecrets.image.theriseunion.io harbor-prod -n team-a"
    assert shlex.split(edit)[-2:] == [
        "theriseunion.io/display-name=x'; rm -rf / #",
        "theriseunion.io/description=$(reboot)\nsecond line",
    ]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"display_name": "生产", "description": "EOF\nEOF\n$(reboot) `x`"},
        {"description": "- a\n: b\n#c\n'EOF'\n\tEOF"},
        {"username": "robot$p+ci", "domain": "harbor.example.com:8443"},
        {"display_name": "100% %s \\n", "description": f"{PLACE} '{PLACE}'"},
    ],
)
def test_the_command_that_adds_it_makes_the_same_registry(cast: Cast, values: dict[str, str]) -> None:
    it = cast.add(**values)
    check, _ = services().tests.begin_test(access=cast.access("nina"), key=it.key)
    services().tests.finish_test(access=cast.access("nina"), check=check)
    add = next(line for line in commands(cast.find(), cast.access("nina")) if "create" in line)

    line = ["bash", "-c", add.replace("kubectl create -f -", "cat")]
    cat = subprocess.run(line, input=f"{CANARY}\n".encode(), capture_output=True, check=True)

    document = yaml.safe_load(cat.stdout)
    assert document["spec"]["password"] == encode_password(CANARY)
    made = to_domain(document)
    for name in ("key", "domain", "username", "provider", "display_name", "description", "labels"):
        assert getattr(made, name) == getattr(it, name)
    assert made.verification.status is VerifyStatus.UNTESTED
    assert not made.resource_version, "an API server refuses it for a new object"
    assert CANARY not in add


def test_no_command_writes_the_placeholder_of_what_is_not_shown(cast: Cast) -> None:
    it = cast.add(username="odd", display_name="odd", description="stays")
    hidden = replace(
        it,
        username=NOT_VALID,
        display_name=NOT_VALID,
        document=it.document.replace(b'"odd"', f'"{NOT_VALID}"'.encode()),
    )

    _get, edit, _password, delete = commands(hidden, cast.access("nina"))

    assert "theriseunion.io/description=stays" in edit
    assert "display-name" not in edit
    assert "kubectl delete" in delete


def test_the_events_of_this_registry_are_listed(cast: Cast) -> None:
    cast.add()
    cast.add("other")
    cast.client("vic").post(f"{PATH}verify/")

    page = shown(cast)
    events = page[page.index('class="events"') : page.index("</ol>", page.index('class="events"'))]

    assert "添加" in events
    assert "olive" in events
    assert "vic" in events
    assert "缺少角色" in events
    assert events.count("<li>") == 2


def test_actions_are_offered_by_role(cast: Cast) -> None:
    cast.add()

    assert f'action="{PATH}verify/"' not in shown(cast, "vic")
    assert f'action="{PATH}verify/"' in shown(cast, "omar")
    assert f'href="{PATH}delete/"' not in shown(cast, "omar")
    assert f'href="{PATH}delete/"' in shown(cast, "nina")


def test_a_curl_line_tests_it_through_the_api(cast: Cast) -> None:
    cast.add()
    page = plain(shown(cast, "omar"))

    path = "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets/harbor-prod/verify"
    assert f"curl -X POST {BEARER} http://testserver{path}<" in page
    assert cast.api("omar").post(path, "", content_type="application/json").status_code == 200


@pytest.mark.parametrize(
    ("person", "offered"),
    [
        ("vic", ["get"]),
        ("omar", ["get", "annotate"]),
        ("nina", ["get", "annotate", "create", "patch", "delete"]),
    ],
)
def test_only_the_commands_that_the_role_allows_are_offered(
    cast: Cast, person: str, offered: list[str]
) -> None:
    it = cast.add(display_name="Harbor")

    with override("en"):
        lines = commands(it, cast.access(person))
    assert [re.findall(r"kubectl (\w+)", line)[0] for line in lines] == offered
    does = ["View", "Edit information", "Add registry", "Change the password", "Delete registry"]
    assert list(lines.values()) == does[: len(offered)]
    assert ("curl -X POST" in shown(cast, person)) is (person != "vic")
    assert 'id="kubectl"' not in shown(cast, person), "there is no cluster"


def test_no_command_writes_an_empty_value(cast: Cast) -> None:
    bare, told = cast.add("bare"), cast.add("told", owner="wang")

    with override("en"):
        bare_lines, told_lines = (
            {text: line for line, text in commands(it, cast.access("nina")).items()} for it in (bare, told)
        )
    assert "Edit information" not in bare_lines
    assert told_lines["Edit information"].endswith("--overwrite theriseunion.io/owner=wang")
    place = {"name": "applied", "namespace": "team-a", "uid": "u", "resourceVersion": "1"}
    applied = to_domain({"metadata": place, "spec": {"domain": "harbor.example.com", "username": "u"}})
    assert "{}" not in " ".join(commands(applied, cast.access("nina")))


def test_a_curl_line_of_who_may_only_look_does_that(cast: Cast) -> None:
    cast.add()
    path = "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets/harbor-prod"

    line = f"curl {BEARER} http://testserver{path}<"
    assert line in plain(shown(cast, "vic"))
    assert cast.api("vic").get(path).status_code == 200
