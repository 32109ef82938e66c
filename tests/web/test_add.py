"""添加镜像源: what is said at which field, and that nothing typed is lost or echoed."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from registries.domain.errors import NotFound
from registries.domain.registry import Key, VerifyStatus
from registries.models import Pause
from registries.probe import registry_of
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import Cast, typed

PATH = "/registries/-/add/"


def post(client: Client, **values: str) -> tuple[int, str]:
    response = client.post(PATH, typed(**values))
    return response.status_code, response.content.decode()


def test_the_form_has_the_eight_fields_of_the_guide_with_the_provider_first(cast: Cast) -> None:
    shown = cast.client("nina").get(PATH).content.decode()

    labels = ["提供者", "命名空间", "域名", "用户名", "密码", "名称", "显示名称", "描述"]
    positions = [shown.index(f">{label}") if f">{label}" in shown else shown.index(label) for label in labels]
    assert positions[0] == min(positions)
    for example in (
        "harbor-prod",
        "生产环境 Harbor",
        "生产环境主镜像仓库",
        "harbor.example.com",
        "robot$project+name",
    ):
        assert example in shown


def test_only_namespaces_where_one_may_add_are_offered(cast: Cast) -> None:
    shown = cast.client("nina").get(PATH).content.decode()

    assert '<option value="team-a"' in shown
    assert "team-b" not in shown


def test_a_pause_of_the_registry_is_named_where_it_prevents_the_test(
    cast: Cast, settings: Any, probing: Callable[[str], dict[str, str]]
) -> None:
    values = probing("harbor")
    settings.TESTS_PER_MINUTE = 1
    asked = services().pauses
    asked.note("team-a", registry_of(values["domain"]), values["username"], 90)

    paused = cast.client("nina", hx_request="true").post(PATH, typed("harbor-dev", **values))
    Pause.objects.all().delete()
    cast.client("nina", hx_request="true").post(PATH, typed("second", **values))
    limited = cast.client("nina", hx_request="true").post(PATH, typed("third", **values))

    shown = [json.loads(it["HX-Trigger"])["toast"]["text"] for it in (paused, limited)]
    assert shown[0].startswith("已添加「harbor-dev」，未测试连接。请求过于频繁，请 "), shown
    assert shown[1].startswith("已添加「third」，未测试连接。请求过多"), shown


def test_saves_what_was_typed_and_tests_it(cast: Cast, probing: Callable[[str], dict[str, str]]) -> None:
    response = cast.client("nina", hx_request="true").post(PATH, typed("harbor-dev", **probing("harbor")))

    assert response.status_code == 204
    for event in ("registries-changed", "registry-saved", "toast", "dialog-close"):
        assert event in response["HX-Trigger"]
    saved = cast.find("harbor-dev")
    assert saved.domain.startswith("harbor.localhost:")
    assert saved.verification.status is VerifyStatus.SUCCESS
    assert saved.verification.message == "连接成功"


def test_saving_is_not_blocked_by_a_registry_that_is_down(
    cast: Cast, probing: Callable[[str], dict[str, str]]
) -> None:
    status, _ = post(cast.client("nina", hx_request="true"), **probing("down"))

    assert status == 204
    assert cast.find().verification.reason == "connection_refused"


def test_a_plain_form_leads_back_to_the_list(cast: Cast) -> None:
    response = cast.client("nina").post(PATH, typed(domain="127.0.0.1:9"), follow=True)

    assert response.redirect_chain == [("/registries/", 302)]
    assert "已添加「harbor-prod」" in response.content.decode()


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"name": ""}, "id_name", "此项必填"),
        ({"name": "Harbor"}, "id_name", "只用小写字母、数字和连字符"),
        ({"name": "-a"}, "id_name", "以字母或数字开头和结尾"),
        ({"name": "x" * 254}, "id_name", "253"),
        ({"name": "../../etc"}, "id_name", "只用小写字母"),
        ({"domain": ""}, "id_domain", "此项必填"),
        ({"domain": "har bor.example.com"}, "id_domain", "空格"),
        ({"domain": "ftp://h.example.com"}, "id_domain", "https://"),
        ({"domain": "user:pw@h.example.com"}, "id_domain", "用户名"),
        ({"domain": "h\u202e.example.com"}, "id_domain", "不可见字符"),
        ({"domain": "127.1"}, "id_domain", "IP"),
        ({"domain": "h.example.com:99999"}, "id_domain", "端口"),
        ({"domain": "x" * 300 + ".com"}, "id_domain", "过长"),
        ({"username": ""}, "id_username", "此项必填"),
        ({"username": "a:b"}, "id_username", "冒号"),
        ({"username": "x" * 257}, "id_username", "256"),
        ({"password": ""}, "id_password", "此项必填"),
        ({"password": "x" * 16385}, "id_password", "16,384"),
        ({"display_name": "a\u202eb"}, "id_display_name", "书写方向"),
        ({"display_name": "x" * 129}, "id_display_name", "128"),
        ({"description": "a\x07b"}, "id_description", "控制字符"),
        ({"provider": "nexus"}, "id_provider_0", "提供者"),
        ({"namespace": ""}, "id_namespace", "此项必填"),
        ({"namespace": "team-b"}, "id_namespace", "命名空间"),
        ({"namespace": "nowhere"}, "id_namespace", "命名空间"),
        ({"namespace": "Team A"}, "id_namespace", "只用小写字母"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(
    cast: Cast, values: dict[str, str], field: str, says: str
) -> None:
    status, shown = post(cast.client("nina", hx_request="true"), **values)

    assert status == 422
    summary = shown[shown.index('id="error-summary"') : shown.index("</ul>")]
    assert says in summary
    assert f"#{field}" in summary
    at_field = shown[shown.index(f'id="div_{field.removesuffix("_0")}"') :]
    assert says in at_field[: at_field.index("</div>", at_field.index("field-error"))]
    with pytest.raises(NotFound):
        cast.find()


def test_everything_typed_is_still_there_except_the_password_which_is_never_echoed(cast: Cast) -> None:
    cast.add()
    _, shown = post(
        cast.client("nina", hx_request="true"),
        display_name="我的 🚢",
        description="两\n行",
        username="robot$x",
    )

    for value in (
        'value="harbor-prod"',
        'value="我的 🚢"',
        "两\n行",
        'value="robot$x"',
        'value="harbor.example.com"',
    ):
        assert value in shown
    assert CANARY not in shown
    assert (
        "hx-preserve" in shown[shown.index('id="id_password"') - 200 : shown.index('id="id_password"') + 200]
    )


@pytest.mark.parametrize("person", ["omar", "vic"])
def test_who_may_not_add_is_answered_403_with_the_role_at_the_field(cast: Cast, person: str) -> None:
    status, shown = post(cast.client(person, hx_request="true"))

    assert status == 403
    assert "image-admin" in shown[shown.index('id="div_id_namespace"') :]


def test_a_name_that_exists_is_said_at_the_field(cast: Cast) -> None:
    cast.add()

    status, shown = post(cast.client("nina", hx_request="true"))

    assert status == 422
    assert "已有同名镜像源" in shown[shown.index('id="div_id_name"') :]


def test_what_was_typed_around_a_value_is_dropped_but_never_from_a_password(cast: Cast) -> None:
    post(
        cast.client("nina"), name="  harbor-x ", domain=" H.Example.com/ ", username=" admin ", password=" p "
    )

    saved = cast.find("harbor-x")
    assert (saved.domain, saved.username) == ("h.example.com", "admin")
    assert services().store.credential(saved.key, uid=saved.uid).password == " p "


@pytest.mark.parametrize(
    ("typed_domain", "kept", "plain_http"),
    [
        ("http://10.0.0.5:5000", "10.0.0.5:5000", True),
        ("https://Harbor.Example.com/", "harbor.example.com", False),
        ("index.docker.io", "docker.io", False),
        ("[2001:db8::1]:5000", "[2001:db8::1]:5000", False),
    ],
)
def test_an_address_is_kept_as_host_and_port(
    cast: Cast, typed_domain: str, kept: str, plain_http: bool, settings: object
) -> None:
    post(cast.client("nina"), domain=typed_domain)

    saved = cast.find()
    assert (saved.domain, saved.plain_http) == (kept, plain_http)
    notes = json.loads(services().store.get(Key("team-a", "harbor-prod")).document)["metadata"]["annotations"]
    assert notes.get("theriseunion.io/plain-http") == ("true" if plain_http else None)


def test_a_form_that_is_sent_twice_adds_one(cast: Cast) -> None:
    client = cast.client("nina", hx_request="true")

    assert [post(client)[0], post(client)[0]] == [204, 422]


def test_too_much_at_once_is_a_413_with_words(cast: Cast) -> None:
    status, shown = post(cast.client("nina"), description="x" * 10_000_000)

    assert status == 413
    assert "控制台最多接收 2\N{NO-BREAK SPACE}MiB" in shown


@pytest.mark.parametrize(
    ("language", "text"), [("zh-hans", "请去掉密码"), ("en", "Remove the password: everyone")]
)
def test_a_text_that_holds_the_password_is_said_at_its_field(cast: Cast, language: str, text: str) -> None:
    client = cast.client("nina")
    client.cookies["django_language"] = language

    status, shown = post(client, password="topsecret9", description="log in with topsecret9")

    assert status == 422
    [form_error] = re.findall(r'id="id_description_error"[^>]*>(.*?)</', shown, re.DOTALL)
    assert text in form_error
    assert "log in with topsecret9" in shown, "what was typed is kept"
    with pytest.raises(NotFound):
        cast.find()


ANOTHER = {"another": "yes"}


@pytest.mark.parametrize(
    ("provider", "focus"),
    [("harbor", "domain"), ("dockerhub", "username"), ("aliyun", "username"), ("other", "domain")],
)
@pytest.mark.parametrize("namespace", ["team-a", "team-b"])
def test_another_one_begins_with_the_provider_and_namespace_of_the_last_one(
    cast: Cast, provider: str, focus: str, namespace: str
) -> None:
    values = {**ANOTHER, "description": "the first", "display_name": "First", "username": "robot"}
    client = cast.client("olive", hx_request="true")

    response = client.post(PATH, typed("first", namespace, provider=provider, **values))

    shown = response.content.decode()
    assert response.status_code == 200
    assert "registry-saved" in response["HX-Trigger"]
    assert "dialog-close" not in response["HX-Trigger"]
    assert "toast" not in response["HX-Trigger"], "the dialog says it, for as long as it is open"
    assert f'<p>已添加「<a href="/registries/{namespace}/first/">First</a>」。</p>' in shown
    assert re.search(rf'name="{focus}"[^>]*aria-describedby="just-saved"', shown)
    assert re.search(rf'value="{provider}"[^>]*checked', shown)
    assert re.search(rf'value="{namespace}"\s+selected', shown)
    assert re.search(rf'name="{focus}"[^>]*autofocus', shown)
    assert re.search(r'name="another"[^>]*checked', shown)
    fields = "".join(re.findall(r"<(?:input|textarea)[^>]* name=[^>]*>[^<]*", shown))
    fields = re.sub(r' (placeholder|data-[a-z-]+)="[^"]*"', "", fields)
    assert not [it for it in ("harbor.example.com", "the first", "First", "robot", CANARY) if it in fields]
    assert re.search(r'name="password"[^>]*', shown)[0].count("hx-preserve") == 0, "the typed password goes"


def test_another_one_says_why_the_last_one_was_not_tested(cast: Cast, settings: Any) -> None:
    settings.TESTS_PER_MINUTE = 1
    client = cast.client("olive", hx_request="true")
    client.post(PATH, typed("first", **ANOTHER))

    shown = client.post(PATH, typed("second", **ANOTHER)).content.decode()

    assert (
        '<p>已添加「<a href="/registries/team-a/second/">second</a>」，未测试连接。</p><p>请求过多' in shown
    )


def test_another_one_that_is_refused_stays_and_is_still_to_be_followed(cast: Cast) -> None:
    response = cast.client("nina", hx_request="true").post(PATH, typed(**ANOTHER, domain=""))

    shown = response.content.decode()
    assert response.status_code == 422
    assert re.search(r'name="another"[^>]*checked', shown)
    assert "hx-preserve" in re.search(r'name="password"[^>]*', shown)[0]


def test_another_one_without_scripts(cast: Cast) -> None:
    client = cast.client("nina")

    response = client.post(PATH, typed(**ANOTHER, provider="other"))

    assert response.status_code == 302
    shown = client.get(response["Location"]).content.decode()
    assert re.search(r'value="other"[^>]*checked', shown)
    assert re.search(r'name="another"[^>]*checked', shown)


@pytest.mark.parametrize("page", ["/pull-failures/", "/pull-failures/secrets/"])
def test_who_adds_from_a_page_of_pull_secrets_sees_it_again(cast: Cast, page: str) -> None:
    """The next step, such as binding the pull secret, is there."""
    url = f"http://testserver{page}?namespace=team-a"
    client = cast.client("nina", hx_request="true", hx_current_url=url)

    assert client.post(PATH, typed())["HX-Redirect"] == f"{page}?namespace=team-a"
