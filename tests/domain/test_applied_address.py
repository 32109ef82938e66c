"""An applied address is read as the add form reads it, wherever its value is used."""

import base64
import json
from typing import Any

import pytest

from registries import metrics
from registries.domain.query import Criteria
from registries.domain.reading import as_applied, as_tested, to_domain
from registries.domain.registry import Key
from registries.index.bucket import Bucket
from registries.intake import read_draft
from registries.probe.schedule import registry_of
from registries.pull_secrets.secret import secret_of

SPELLINGS = {
    "Harbor.Example.com:8443": "harbor.example.com:8443",
    "HTTPS://harbor.example.com:8443/": "harbor.example.com:8443",
    "harbor.example.com.:8443": "harbor.example.com:8443",
    "  harbor.example.com:8443\n": "harbor.example.com:8443",
    "\ufeffharbor.example.com": "harbor.example.com",
    "harbor.example.com/v2/": "harbor.example.com",
    "harbor.example.com/project": "harbor.example.com",
    "Bücher.example": "xn--bcher-kva.example",
    "镜像。example。": "xn--o1q148n.example",
    "ＨＡＲＢＯＲ.example": "harbor.example",
    "[2001:DB8:0:0::1]:5000": "[2001:db8::1]:5000",
    "2001:db8::1": "[2001:db8::1]",
    "harbor.example.com:00443": "harbor.example.com:443",
    "http://harbor.example.com": "harbor.example.com",
    "http://HARBOR.example.com:80": "harbor.example.com:80",
    "https://index.docker.io/v1/": "docker.io",
    "http://docker.io": "docker.io",
    "Registry-1.Docker.io.": "docker.io",
}
NOT_PARSED = {
    "my_registry:5000": "underscore",
    "https://robot:s3cret@harbor.example.com": "user_info",
    "harbor.example.com:": "bad_port",
    "harbor.example.com:70000": "bad_port",
    "harbor..example.com": "bad_label",
    "*.example.com": "bad_label",
    "oci://harbor.example.com": "bad_scheme",
    "harbor example.com": "whitespace_inside",
    "harbor\u200b.example.com": "control_character",
    "127.1": "bad_ip",
    "fe80::1%eth0": "zone_id",
    "https://": "empty",
    "": "empty",
}


def applied(domain: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "x", "namespace": "n", "uid": "u", "resourceVersion": "1", "annotations": {}},
        "spec": {"domain": domain, "username": "dev", "provider": "harbor", "password": "bG9uZ3Bhc3N3b3Jk"},
    }


@pytest.mark.parametrize("typed", SPELLINGS)
def test_each_use_has_the_value_that_the_form_stores(typed: str) -> None:
    form = {"namespace": "n", "name": "x", "domain": typed, "username": "dev", "provider": "harbor"}
    stored = read_draft({**form, "password": "longpassword", "tls": "", "ca_bundle": ""})
    shown, kept, tested = (it(applied(typed)) for it in (to_domain, as_applied, as_tested))
    secret = secret_of(kept, "longpassword")["data"][".dockerconfigjson"]
    keys = list(json.loads(base64.b64decode(secret))["auths"])
    exposed = metrics.exposition(metrics.Registries().text([shown], 0.0), None).decode()

    assert shown.domain == kept.domain == tested.domain == stored.domain == SPELLINGS[typed]
    assert shown.plain_http == kept.plain_http == tested.plain_http == stored.plain_http
    assert registry_of(tested.address) == registry_of(typed.strip())
    assert SPELLINGS[typed] in keys or SPELLINGS[typed] == "docker.io"
    assert f'domain="{SPELLINGS[typed]}"' in exposed
    assert not shown.address_problem


@pytest.mark.parametrize("typed", SPELLINGS)
def test_a_search_finds_it_by_each_spelling(typed: str) -> None:
    bucket = Bucket((to_domain(applied(SPELLINGS[typed])),))

    assert bucket.narrowed(Criteria(text=typed)).items
    assert bucket.narrowed(Criteria(text=typed.upper())).items
    assert not bucket.narrowed(Criteria(text=f"another.{typed.strip()}")).items


@pytest.mark.parametrize("typed", NOT_PARSED)
def test_an_address_that_cannot_be_parsed_has_its_problem(typed: str) -> None:
    registry = to_domain(applied(typed))

    assert registry.address_problem == NOT_PARSED[typed]
    assert registry.domain in ("(not-valid)", "")
    assert registry.key == Key("n", "x")


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("harbor.example.com :8443", 19),
        (" harbor.example.com\n:8443", 19),
        ("harbor.example.com?a", 19),
        ("har\\bor.example.com", 4),
        ("har_bor.example.com", 0),
        ("harbor.example.com longpassword", 0),
        ("docker login -u dev -p another harbor.example.com", 0),
        ("dev:another one@harbor.example.com", 0),
    ],
)
def test_the_place_of_a_wrong_character_is_known_unless_it_may_be_in_a_password(
    typed: str, place: int
) -> None:
    assert to_domain(applied(typed)).address_problem_at == place
