"""A stored password follows no other address: whoever names a server types a password for it."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from registries.domain.access import Role
from registries.domain.resource import PREFIX
from registries.people.grants import set_grant
from registries.wiring import services
from tests.api.test_api import TEAM_A as API
from tests.canary import CANARY
from tests.cast import Cast
from tests.peers.basic_registry import registry
from tests.peers.certificates import Authority
from tests.peers.scripted import Request, scripted
from tests.web.copies import plan
from tests.web.copies import stored as stored_registries
from tests.web.password_pages import posted, stored
from tests.web.test_correct import ONE, PATH, shown

pytest_plugins = ("tests.peers.authorities",)

JSON = "application/json"


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"provider": "other"}, True),
        ({"tls": "ca"}, True),
        ({"tls": "skip"}, False),
        ({"domain": "elsewhere.example.com"}, False),
        ({"domain": "http://harbor.example.com"}, False),
        ({"domain": "harbor.example.com:8443"}, False),
        ({"username": "somebody"}, False),
    ],
)
@pytest.mark.parametrize("path", [PATH, f"{PATH}try/"])
def test_the_stored_password_goes_to_no_other_server(
    cast: Cast, tmp_path: Any, path: str, change: dict[str, str], *, kept: bool
) -> None:
    cast.add(password=CANARY)
    client = cast.client("nina", hx_request="true")
    pem = Authority(tmp_path).root.certificate_file.read_text()

    answer = client.post(path, {**shown(client), "ca_bundle": pem, **change, "anyway": "1"})
    asked = client.post(
        path, {**shown(client), "ca_bundle": pem, **change, "password": "typed", "anyway": "1"}
    )

    html = answer.content.decode()
    assert ("请重新输入密码" in html) is not kept
    assert answer.status_code == (422 if not kept else answer.status_code)
    assert "请重新输入密码" not in asked.content.decode()
    if kept:
        assert stored() in (CANARY, "typed")


Theirs = dict[str, str]
"""The address of a server of one's own, the setting that trusts its CA, and the CA."""


def by_edit(cast: Cast, theirs: Theirs) -> None:
    it = cast.find()
    shown = {"uid": it.uid, "resource_version": it.resource_version, "display_name": "Mine"}
    cast.client("nina", hx_request="true").post(f"{ONE}edit/", {**shown, **theirs})


def by_correction(cast: Cast, theirs: Theirs) -> None:
    """First the CA alone, which keeps the password, then the address."""
    client = cast.client("nina", hx_request="true")
    client.post(PATH, {**shown(client), **theirs, "domain": shown(client)["domain"], "anyway": "1"})
    assert cast.find().ca_bundle == theirs["ca_bundle"]
    for path in (PATH, f"{PATH}try/"):
        client.post(path, {**shown(client), **theirs, "anyway": "1"})


def by_password(cast: Cast, theirs: Theirs) -> None:
    client, path = cast.client("nina", hx_request="true"), f"{ONE}password/"
    for end in ("try/", "", "harbor/"):
        posted(client, client.get(path).content.decode(), f"{path}{end}", **theirs, password="", anyway="1")


def by_patch(cast: Cast, theirs: Theirs) -> None:
    ours = {"domain": theirs["domain"], "plain-http": "true", "ca-bundle": theirs["ca_bundle"]}
    client, annotations = cast.api("nina"), {PREFIX + name: value for name, value in ours.items()}
    for body in (
        {"spec": {"domain": theirs["domain"]}},
        *({"metadata": {"annotations": {name: value}}} for name, value in annotations.items()),
    ):
        assert client.patch(f"{API}/harbor-prod", body, content_type=JSON).status_code == 422


def by_put(cast: Cast, theirs: Theirs) -> None:
    client = cast.api("nina")
    resource = client.get(f"{API}/harbor-prod").json()
    resource["spec"]["domain"] = theirs["domain"]
    for path in ("", "/password", "/verify", "/undo"):
        client.put(f"{API}/harbor-prod{path}", resource, content_type=JSON)
        client.post(f"{API}/harbor-prod{path}", resource, content_type=JSON)
    client.post(f"{API}", {**resource, "metadata": {"name": "second"}}, content_type=JSON)


def by_copy(cast: Cast, theirs: Theirs) -> None:
    set_grant(cast.users["nina"], "team-b", Role.ADMIN)
    client = cast.client("nina", hx_request="true")
    _, start = plan(client, [cast.find()], "team-b")
    client.post(start, theirs)
    place = "/registries/team-b/harbor-prod/"
    client.post(f"{place}correct/", {**shown(client, f"{place}correct/"), **theirs, "anyway": "1"})
    client.post(
        f"{place}align/", {"uid": cast.find(namespace="team-b").uid, "source": cast.find().uid, **theirs}
    )


def by_undo(cast: Cast, theirs: Theirs) -> None:
    """The name belongs to another registry meanwhile, and is free again."""
    client, uid = cast.client("nina", hx_request="true"), cast.find().uid
    client.post(f"{ONE}delete/", {"confirm": "harbor-prod", "uid": uid})
    cast.add(**{**theirs, "password": "of-their-own"})
    client.post(f"{ONE}undo/{uid}/", theirs)
    client.post(f"{ONE}delete/", {"confirm": "harbor-prod", "uid": cast.find().uid})
    client.post(f"{ONE}undo/{uid}/", theirs)
    assert cast.find().address == "harbor.example.com"


WAYS = (by_edit, by_correction, by_password, by_patch, by_put, by_copy, by_undo)


@pytest.mark.parametrize("way", WAYS)
def test_who_has_a_server_and_a_ca_gets_no_stored_password(
    cast: Cast, authority: Authority, settings: Any, way: Callable[[Cast, Theirs], None]
) -> None:
    """A correction of the CA alone keeps the password, so the address must stay. A typed password may go there."""
    settings.PROBE_ALLOW_LOOPBACK = True
    cast.add()
    with scripted(registry, tls=authority.server_context(authority.issue("localhost"))) as server:
        theirs = {"domain": server.address, "tls": "ca", "ca_bundle": authority.root.pem}

        way(cast, theirs)
        for it in stored_registries(cast).values():
            if it.address == server.address:
                services().single_tests.wait_for(access=cast.access("olive"), key=it.key)
        assert not [it for it in server.requests if CANARY in sent(it)]
        before = len(server.requests)

        client = cast.client("nina", hx_request="true")
        typed = {**shown(client), **theirs, "password": "typed-by-nina"}
        client.post(PATH, {**typed, "anyway": "1"})

    assert "typed-by-nina" in "".join(map(sent, server.requests[before:]))


def sent(request: Request) -> str:
    """A request with the user name and the password that it shows."""
    shown = (request.authorization or "").removeprefix("Basic ")
    return f"{request.target} {request.headers} {request.body!r} {b64decode(shown).decode()}"
