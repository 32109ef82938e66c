"""What the add form says of an address that belongs to a known cloud."""

import json
import re

import pytest

from tests.cast import Cast

CHECK = "/registries/-/add/address/"
AWS, GOOGLE, TENCENT = "用户名固定为 AWS", "用户名为 _json_key", "tcr$名称"
HINTS = (AWS, GOOGLE, TENCENT)
CHOOSE = 'data-choose-provider="aliyun"'


def checked(cast: Cast, domain: str, provider: str = "other") -> str:
    query = {"domain": domain, "provider": provider, "namespace": "team-a"}
    return cast.client("nina").get(CHECK, query).content.decode()


@pytest.mark.parametrize(
    ("domain", "hint"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", AWS),
        ("HTTPS://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/", AWS),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com:443", AWS),
        ("europe-west1-docker.pkg.dev", GOOGLE),
        ("us-docker.pkg.dev/project/images", GOOGLE),
        ("gcr.io", GOOGLE),
        ("eu.gcr.io", GOOGLE),
        ("shop.tencentcloudcr.com", TENCENT),
        ("shop.tencentcloudcr.com.", TENCENT),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example", ""),
        ("12.dkr.ecr.eu-west-1.amazonaws.com", ""),
        ("s3.amazonaws.com", ""),
        ("docker.pkg.dev.example.com", ""),
        ("notgcr.io", ""),
        ("tencentcloudcr.com", ""),
        ("harbor.example.com", ""),
        ("localhost:5000", ""),
        ("192.0.2.1", ""),
    ],
)
def test_the_account_that_a_cloud_expects_is_named(cast: Cast, domain: str, hint: str) -> None:
    page = checked(cast, domain)
    assert [it for it in HINTS if it in page] == ([hint] if hint else [])
    assert CHOOSE not in page


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("docker.io", "dockerhub"),
        ("https://hub.docker.com/", "dockerhub"),
        ("registry.cn-hangzhou.aliyuncs.com", "aliyun"),
        ("cr.cn-hangzhou.aliyuncs.com", "aliyun"),
        ("team-registry-vpc.cn-hangzhou.cr.aliyuncs.com", "aliyun"),
        ("quay.io", "other"),
        ("ghcr.io", "other"),
        ("team.azurecr.io", "other"),
        ("swr.cn-north-4.myhuaweicloud.com", "other"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "other"),
        ("harbor.example.com", "harbor"),
        ("test-harbor2.example.com:8443", "harbor"),
        ("docker.io.example.com", ""),
        ("harborage.example.com", ""),
        ("oss-cn-hangzhou.aliyuncs.com", ""),
        ("registry.example.com", ""),
        ("not an address", ""),
        ("", ""),
    ],
)
def test_the_provider_of_an_address_is_told_to_a_page_that_follows_it(
    cast: Cast, domain: str, provider: str
) -> None:
    client, query = cast.client("nina"), {"domain": domain, "provider": "harbor", "namespace": "team-a"}
    response = client.get(CHECK, {**query, "follows": "yes"})
    assert json.loads(response["HX-Trigger"]) == {"provider-found": {"provider": provider}}
    assert "data-choose-provider" not in response.content.decode()
    assert "HX-Trigger" not in client.get(CHECK, query)


@pytest.mark.parametrize("provider", ["harbor", "other", "dockerhub"])
def test_an_address_of_docker_hub_offers_its_provider(cast: Cast, provider: str) -> None:
    shown = checked(cast, "hub.docker.com", provider)
    assert ('data-choose-provider="dockerhub"' in shown) == (provider != "dockerhub")
    assert ("改用「Docker Hub」" in shown) == (provider != "dockerhub")


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("registry.cn-hangzhou.aliyuncs.com", True),
        ("registry-vpc.cn-beijing.aliyuncs.com", True),
        ("https://Registry.cn-shanghai.aliyuncs.com/team/app", True),
        ("crpi-a1b2c3d4.cn-hangzhou.personal.cr.aliyuncs.com", True),
        ("crpi-a1b2c3d4-vpc.cn-zhangjiakou.personal.cr.aliyuncs.com", True),
        ("team-registry-vpc.cn-hangzhou.cr.aliyuncs.com", True),
        ("cr.cn-hangzhou.aliyuncs.com", False),
        ("oss-cn-hangzhou.aliyuncs.com", False),
        ("registry.cn-hangzhou.aliyuncs.com.evil.example", False),
        ("registryxcn-hangzhou.aliyuncs.com", False),
        ("harbor.example.com", False),
    ],
)
@pytest.mark.parametrize("provider", ["harbor", "dockerhub", "other", "aliyun"])
def test_an_address_of_aliyun_offers_its_provider(
    cast: Cast, domain: str, known: bool, provider: str
) -> None:
    assert (CHOOSE in checked(cast, domain, provider)) == (known and provider != "aliyun")


def test_the_instance_of_aliyun_is_explained_where_it_can_be_seen(cast: Cast) -> None:
    page = cast.client("nina").get("/registries/-/add/?provider=aliyun").content.decode()
    assert 'aria-describedby="hint-instance"' in page
    assert "crpi-" in page.partition('id="hint-instance"')[2].partition("</p>")[0]


MEANT = {
    "crpi-a1b2c3d4-registry.cn-hangzhou.cr.aliyuncs.com": "crpi-a1b2c3d4.cn-hangzhou.personal.cr.aliyuncs.com",
    "crpi-a1b2c3d4-registry-vpc.cn-hangzhou.cr.aliyuncs.com": "crpi-a1b2c3d4-vpc.cn-hangzhou.personal.cr.aliyuncs.com",
    "cr.cn-hangzhou.aliyuncs.com": "registry.cn-hangzhou.aliyuncs.com",
    "cr-vpc.cn-zhangjiakou.aliyuncs.com": "registry-vpc.cn-zhangjiakou.aliyuncs.com",
    "team-registry.cn-hangzhou.cr.aliyuncs.com": "",
    "crpi-a1b2c3d4.cn-hangzhou.personal.cr.aliyuncs.com": "",
    "registry.cn-hangzhou.aliyuncs.com": "",
    "cr.cn-hangzhou.aliyuncs.com.evil.example": "",
}


@pytest.mark.parametrize(("domain", "meant"), MEANT.items())
def test_an_address_of_aliyun_that_is_no_registry_is_told(cast: Cast, domain: str, meant: str) -> None:
    page = checked(cast, domain, "aliyun")
    assert (f"请使用 <code>{meant}</code>。" in page) is bool(meant)
    assert ("check-warn" in page) is bool(meant)


@pytest.mark.parametrize(
    ("domain", "name", "provider"),
    [
        ("harbor.example.com", "harbor-team-a", "harbor"),
        ("docker.io", "dockerhub-team-a", "dockerhub"),
        ("registry.example.com", "registry-team-a", "other"),
        ("x x", "registry-team-a", "other"),
    ],
)
def test_a_link_with_an_address_proposes_the_name_of_its_provider(
    cast: Cast, domain: str, name: str, provider: str
) -> None:
    query = {"domain": domain, "provider": "other", "namespace": "team-a"}

    page = cast.client("nina").get("/registries/-/add/", query).content.decode()

    assert f'name="name" value="{name}"' in page
    assert re.search(r'value="(\w+)"\s+id="id_provider_\d"\s+checked', page)[1] == provider  # type: ignore[index]
