"""添加镜像源 before it is saved: the test of what was typed, and what is said of addresses and names meanwhile."""

from collections.abc import Callable

import pytest

from registries.domain.errors import NotFound
from registries.models import Trial
from tests.canary import CANARY
from tests.cast import Cast, typed
from tests.web.test_add import PATH

TRY = "/registries/-/try/"


def test_the_typed_values_are_tested_and_nothing_is_recorded(
    cast: Cast, probing: Callable[[str], dict[str, str]]
) -> None:
    client = cast.client("nina", hx_request="true")

    good = client.post(TRY, typed(**probing("harbor"))).content.decode()
    bad = client.post(TRY, {**typed(**probing("harbor")), "password": CANARY}).content.decode()

    assert "verdict-ok" in good
    assert "连接成功" in good
    assert "verdict-bad" in bad
    assert "用户名或密码错误" in bad
    assert "建议改用机器人账号" in bad, "the next step of this provider"
    last = Trial.objects.filter(outcome__contains="bad_credentials").get()
    polled = client.get(f"{TRY}{last.pk}/?kind=robot").content.decode()
    assert "在 Harbor 中查看该机器人账号" in polled
    with pytest.raises(NotFound):
        cast.find()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"password": ""}, "此项必填"),
        ({"domain": "a b"}, "空格"),
        ({"username": "a:b"}, "冒号"),
    ],
)
def test_what_cannot_be_tested_is_said_before_anything_is_sent(
    cast: Cast, values: dict[str, str], says: str
) -> None:
    response = cast.client("nina", hx_request="true").post(TRY, typed(**values))

    assert response.status_code == 422
    assert says in response.content.decode()


def test_a_trial_is_its_owners_only(cast: Cast, probing: Callable[[str], dict[str, str]]) -> None:
    cast.client("nina", hx_request="true").post(TRY, typed(**probing("harbor")))
    trial = Trial.objects.get()

    assert cast.client("nina").get(f"/registries/-/try/{trial.pk}/").status_code == 200
    assert cast.client("olive").get(f"/registries/-/try/{trial.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"domain": "harbor.example.com"}, "harbor.example.com/<wbr>project/<wbr>app<wbr>:tag"),
        ({"domain": "hub.docker.com", "provider": "dockerhub"}, "docker.io/<wbr>account/<wbr>app<wbr>:tag"),
        ({"domain": "http://h.example.com"}, "未加密"),
        ({"domain": "h.example.com/v3/x"}, "路径已忽略"),
        ({"domain": "a b"}, "空格"),
        ({"domain": "harbor.example.com", "username": "admin"}, "harbor-prod"),
    ],
)
def test_the_address_is_explained_while_one_types(cast: Cast, query: dict[str, str], says: str) -> None:
    cast.add()

    shown = (
        cast.client("nina")
        .get(f"{PATH}address/", {"namespace": "team-a", "provider": "harbor", **query})
        .content.decode()
    )

    assert says in shown


@pytest.mark.parametrize(
    ("provider", "namespace", "name"),
    [
        ("harbor", "team-a", "harbor-team-a"),
        ("dockerhub", "team-a", "dockerhub-team-a"),
        ("other", "team-a", "registry-team-a"),
    ],
)
def test_a_free_name_is_suggested(cast: Cast, provider: str, namespace: str, name: str) -> None:
    client, query = cast.client("nina"), {"provider": provider, "namespace": namespace}

    first = client.get(f"{PATH}name/", query)["HX-Trigger"]
    cast.add(name)
    second = client.get(f"{PATH}name/", query)["HX-Trigger"]

    assert f'"{name}"' in first
    assert f'"{name}-2"' in second


def test_nothing_is_told_of_names_in_another_namespace(cast: Cast) -> None:
    cast.add("harbor-secret", "team-b")

    response = cast.client("nina").get(f"{PATH}name/", {"namespace": "team-b", "name": "harbor-secret"})

    assert "已有" not in response.content.decode()
    assert "HX-Trigger" not in response


@pytest.mark.parametrize(
    ("domain", "warns"),
    [
        ("harbor", True),
        ("registry-1", True),
        ("http://harbor", True),
        ("harbor:5000", False),
        ("harbor.example.com", False),
        ("localhost", False),
        ("10.0.0.1", False),
        ("[::1]", False),
        ("docker.io", False),
    ],
)
def test_a_host_that_nodes_take_for_docker_hub_is_pointed_out(cast: Cast, domain: str, warns: bool) -> None:
    shown = cast.client("nina").get("/registries/-/add/address/", {"domain": domain}).content.decode()

    assert ("当作 Docker Hub" in shown) is warns
    if warns:
        host = f"{domain.removeprefix('http://')}:{80 if 'http' in domain else 443}"
        assert f'镜像名使用 <code class="unbroken">{host}</code>' in shown
        whole = shown.replace("<wbr>", "")
        assert f"{host}/project/app:tag" in whole or f"{host}/team/app:tag" in whole


@pytest.mark.parametrize(
    ("domain", "warns"), [("[2001:db8::1]", True), ("[2001:db8::1]:5000", False), ("10.0.0.1", False)]
)
def test_an_address_that_image_names_cannot_contain_is_pointed_out(
    cast: Cast, domain: str, warns: bool
) -> None:
    shown = cast.client("nina").get("/registries/-/add/address/", {"domain": domain}).content.decode()

    assert ('镜像名使用 <code class="unbroken">[2001:db8::1]:443</code>' in shown) is warns


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        (f"docker login harbor.example.com -u admin -p {CANARY}", "完整的命令"),
        (f"-u admin --password={CANARY} harbor.example.com", "完整的命令"),
        (f"admin:{CANARY}@harbor.example.com", "用户名"),
        (f"https://admin:{CANARY}@harbor.example.com/v2/", "用户名"),
    ],
)
def test_a_password_in_the_address_does_not_come_back(cast: Cast, domain: str, says: str) -> None:
    for path in (PATH, TRY):
        response = cast.client("nina", hx_request="true").post(path, typed(domain=domain))

        assert response.status_code == 422
        assert says in response.content.decode()
        assert CANARY not in response.content.decode()
