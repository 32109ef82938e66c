"""The details page: every field but the password."""

import html

import yaml

from tests.canary import CANARY
from tests.conftest import Cast

PATH = "/registries/team-a/harbor-prod/"


def shown(cast: Cast, person: str = "vic") -> str:
    return cast.client(person).get(PATH).content.decode()


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
        assert value in page
    assert "已设置，不显示" in page


def test_the_yaml_is_the_resource_without_the_password(cast: Cast) -> None:
    cast.add(display_name="yes: [1] & <b>")
    page = shown(cast)

    text = page[page.index('<pre class="code" tabindex="0"><code>') + 37 : page.index("</code></pre>")]
    resource = yaml.safe_load(
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&#x27;", "'").replace("&amp;", "&")
    )

    assert resource["kind"] == "RegistrySecret"
    assert resource["metadata"]["annotations"]["theriseunion.io/display-name"] == "yes: [1] & <b>"
    assert resource["spec"] == {
        "domain": "harbor.example.com",
        "username": "admin",
        "provider": "harbor",
        "password": "(hidden)",
    }
    assert CANARY not in page


def test_a_hostile_display_name_is_quoted_in_the_commands(cast: Cast) -> None:
    cast.add(display_name="x'; rm -rf / #")

    page = shown(cast)

    assert "kubectl delete registrysecrets.image.theriseunion.io harbor-prod -n team-a" in page
    quoted = "theriseunion.io/display-name=x'\"'\"'; rm -rf / #".replace("'", "&#x27;").replace('"', "&quot;")
    assert quoted in page


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
    page = html.unescape(cast.client("vic").get("/registries/team-a/harbor-prod/").content.decode())

    path = "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-a/registry-secrets/harbor-prod/verify"
    assert f'curl -X POST -H "Authorization: Bearer $TOKEN" http://testserver{path}' in page
    assert cast.api("omar").post(path, "", content_type="application/json").status_code == 200
