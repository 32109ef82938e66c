"""镜像加速器: the list, its probes against real servers, and the configuration on the page."""

from typing import Any

import pytest
from django.utils import timezone

from registries.mirrors.listing import AT_MOST, Verdict
from registries.models import AuditEntry, Mirror
from registries.probe.mirror import Found, MirrorAnswer
from registries.probe.reason import Reason
from registries.wiring import services
from registries.words import journal
from tests.cast import Cast
from tests.peers.certificates import Authority
from tests.peers.scripted import Reply, Request, registry_ok, scripted, unauthorized

pytest_plugins = ("tests.peers.authorities",)

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
TYPED = {"upstream": "docker.io", "address": "mirror.example.com", "image": "", "resolves": "on"}


def add(cast: Cast, **values: str) -> Any:
    return cast.client("olive").post("/mirrors/-/add/", {**TYPED, **values})


def page(cast: Cast, language: str = "en") -> str:
    client = cast.client("olive")
    client.cookies["django_language"] = language
    return client.get("/mirrors/").content.decode()


def test_an_empty_list_says_what_it_is_for(cast: Cast) -> None:
    assert "No mirrors yet" in page(cast)
    assert "尚无镜像加速器" in page(cast, "zh-hans")


STORED = {
    ("docker.io", "mirror.example.com"): ("docker.io", "mirror.example.com"),
    ("https://index.docker.io/v2/", "https://Mirror.Example.com./"): ("docker.io", "mirror.example.com"),
    ("registry-1.docker.io", "http://10.0.0.1:5000"): ("docker.io", "http://10.0.0.1:5000"),
    (" ghcr.io ", "[2001:DB8::1]:8443"): ("ghcr.io", "[2001:db8::1]:8443"),
    ("http://reg.internal:5000", "镜像.example.com"): ("http://reg.internal:5000", "xn--xtr56p.example.com"),
    ("registry.k8s.io", "mirror:443"): ("registry.k8s.io", "mirror:443"),
}


@pytest.mark.parametrize(("typed", "stored"), STORED.items())
def test_addresses_are_read_as_everywhere(
    cast: Cast, typed: tuple[str, str], stored: tuple[str, str]
) -> None:
    assert add(cast, upstream=typed[0], address=typed[1]).status_code == 302
    row = Mirror.objects.get()
    if "镜像" in typed[1]:  # the parser of addresses decides about names in other scripts
        assert row.address.startswith("xn--")
        return
    assert (row.upstream, row.address) == stored


WRONG = {
    "no upstream": ({"upstream": ""}, "This field is required."),
    "no address": ({"address": " "}, "This field is required."),
    "itself": ({"upstream": "ghcr.io", "address": "ghcr.io:443"}, "cannot be its own mirror"),
    "Docker Hub itself": ({"address": "https://index.docker.io"}, "cannot be its own mirror"),
    "path": ({"address": "harbor.example.com/v2/proxy"}, "without a path"),
    "path of the upstream": ({"upstream": "docker.io/library"}, "without a path"),
    "user": ({"address": "https://user:pw@mirror"}, "must not contain a user name"),
    "query": ({"address": "mirror?x=1"}, "?"),
    "scheme": ({"address": "ftp://mirror"}, "http"),
    "number": ({"address": "0x7f.1"}, "IP"),
    "image": ({"image": "UPPER/case"}, "not a valid image reference"),
    "image elsewhere": ({"image": "quay.io/a/b:1"}, "Begin with docker.io/"),
    "image of another": ({"upstream": "ghcr.io", "image": "busybox"}, "Begin with ghcr.io/"),
    "long": ({"address": "m" * 3000}, ""),
    "long image": ({"image": "docker.io/a:" + "b" * 600}, "not a valid image reference"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_used_is_said_at_its_field(cast: Cast, name: str) -> None:
    values, says = WRONG[name]
    client = cast.client("olive")
    client.cookies["django_language"] = "en"
    response = client.post("/mirrors/-/add/", {**TYPED, **values})

    assert response.status_code == 422
    assert "is-invalid" in response.content.decode()
    assert says in response.content.decode()
    assert not Mirror.objects.exists()


def test_a_mirror_is_listed_once_and_the_list_has_an_end(cast: Cast) -> None:
    add(cast)
    assert "already" in _english(cast, {**TYPED, "address": "https://MIRROR.example.com"})
    assert add(cast, upstream="ghcr.io").status_code == 302
    assert "the other of http:// and https://" in _english(
        cast, {**TYPED, "upstream": "http://ghcr.io", "address": "another.example.com"}
    )
    Mirror.objects.bulk_create(
        Mirror(upstream="quay.io", address=f"m{it}.example.com") for it in range(AT_MOST - 2)
    )
    assert "There are 50 mirrors" in _english(cast, {**TYPED, "address": "one.more"})
    assert Mirror.objects.count() == AT_MOST


def _english(cast: Cast, typed: dict[str, str]) -> str:
    client = cast.client("olive")
    client.cookies["django_language"] = "en"
    return client.post("/mirrors/-/add/", typed).content.decode()


def test_changes_are_in_the_audit_log(cast: Cast) -> None:
    add(cast)
    [row] = Mirror.objects.all()
    client = cast.client("olive")
    assert "mirror.example.com" in client.get(f"/mirrors/{row.pk}/delete/").content.decode()
    client.post(f"/mirrors/{row.pk}/delete/")

    assert not Mirror.objects.exists()
    entries = AuditEntry.objects.filter(action="mirror").order_by("pk")
    assert [it.note for it in entries] == [
        f"{it} mirror.example.com (docker.io)" for it in ("create", "delete")
    ]
    assert all("mirror.example.com" in journal.line(it).action for it in entries)
    assert client.post(f"/mirrors/{row.pk}/delete/").status_code == 404


def manifest(digest: str) -> Any:
    def script(request: Request) -> Reply:
        if request.path == "/v2/":
            return registry_ok()
        return Reply(200, [("Docker-Content-Digest", digest)]) if digest else Reply(404)

    return script


def closed(request: Request) -> Reply:
    return unauthorized('Basic realm="mirror"')


PROBES = {
    "same": (manifest(DIGEST), manifest(DIGEST), Verdict.SAME, "Same as upstream"),
    "other": (manifest(OTHER), manifest(DIGEST), Verdict.DIFFERENT, "Differs from upstream"),
    "missing": (manifest(""), manifest(DIGEST), Verdict.MISSING, "Image missing"),
    "gone upstream": (manifest(DIGEST), manifest(""), Verdict.ANSWERS, "does not have this image, so"),
    "closed": (closed, manifest(DIGEST), Verdict.REFUSED, "Nodes send it the user name"),
    "closed upstream": (manifest(DIGEST), closed, Verdict.ANSWERS, "requires a login for this image"),
    "website": (lambda it: Reply(200, [], b"<html>"), manifest(DIGEST), Verdict.FAILED, "No answer"),
    "broken upstream": (
        manifest(DIGEST),
        lambda it: Reply(500),
        Verdict.ANSWERS,
        "The upstream did not answer (",
    ),
}


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_compares_with_the_upstream(cast: Cast, settings: Any, name: str) -> None:
    settings.PROBE_ALLOW_LOOPBACK = True
    mirror, upstream, verdict, says = PROBES[name]
    with scripted(mirror) as here, scripted(upstream) as there:
        cast.add("own", domain=there.address, username="robot", password="never-for-a-mirror")
        image = f"{there.netloc}/demo/app:1.0"
        assert add(cast, upstream=there.address, address=here.address, image=image).status_code == 302
        [row] = Mirror.objects.all()
        before = timezone.now()
        assert cast.client("olive").post(f"/mirrors/{row.pk}/probe/").status_code == 302
        asked = [*here.requests, *there.requests]

    row.refresh_from_db()
    assert row.verdict == verdict
    assert row.probed_at
    assert row.probed_at >= before
    assert says in page(cast)
    assert [it.authorization for it in asked if it.authorization] == [], "a credential was sent"
    assert not any("never-for-a-mirror" in str(it.headers) for it in asked)


def test_the_cas_of_the_hosts_are_used_and_offered(cast: Cast, settings: Any, authority: Authority) -> None:
    settings.PROBE_ALLOW_LOOPBACK = True
    pair = authority.issue("localhost")
    with scripted(manifest(DIGEST), tls=authority.server_context(pair)) as here:
        add(cast, address=here.netloc)
        [row] = Mirror.objects.all()
        cast.client("olive").post(f"/mirrors/{row.pk}/probe/")
        row.refresh_from_db()
        assert (row.verdict, row.reason) == (Verdict.FAILED, "tls_untrusted")
        assert "BEGIN CERTIFICATE" not in page(cast)

        cast.add("harbor", domain=here.netloc, tls="ca", ca_bundle=authority.root.pem)
        cast.client("olive").post(f"/mirrors/{row.pk}/probe/")
    row.refresh_from_db()
    assert row.verdict == Verdict.ANSWERS
    shown = page(cast)
    assert shown.count(authority.root.pem.split("\n")[1]) >= 3, "for containerd, Docker and K3s"
    assert "# team-a/harbor" in shown
    for path in ("docker.io/hosts.toml", "/etc/docker/daemon.json", "/etc/rancher/k3s/registries.yaml"):
        assert path in shown


def test_an_older_probe_does_not_replace_a_newer_one(cast: Cast) -> None:
    add(cast)
    [row] = Mirror.objects.all()
    access, mirrors = cast.access("olive"), services().mirrors

    def slow(address: str, repository: str = "", reference: str = "", upstream: str = "") -> MirrorAnswer:
        mirrors.probe(access=access, mirror=row.pk, look=lambda *args: MirrorAnswer(Reason.OK))
        return MirrorAnswer(Reason.TIMEOUT, Found.NOTHING)

    assert mirrors.probe(access=access, mirror=row.pk, look=slow).verdict is Verdict.ANSWERS


def test_probes_are_limited(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    add(cast, address="http://127.0.0.1:9")
    [row] = Mirror.objects.all()
    client = cast.client("olive")
    statuses = [client.post(f"/mirrors/{row.pk}/probe/").status_code for _ in range(40)]
    assert 429 in statuses
    row.refresh_from_db()
    assert (row.verdict, row.reason) == (Verdict.FAILED, "blocked_address")


def test_the_navigation_of_administrators_has_it(cast: Cast) -> None:
    assert 'href="/mirrors/"' in cast.client("olive").get("/overview/").content.decode()
    for person in ("nina", "omar", "vic"):
        assert 'href="/mirrors/"' not in cast.client(person).get("/overview/").content.decode()


def test_a_mirror_that_may_not_resolve_is_named(cast: Cast) -> None:
    add(cast, resolves="")
    assert "they leave out:" in page(cast)
    assert "registries.yaml</p>" not in page(cast)
    add(cast, resolves="", address="second.example.com")
    assert "mirror.example.com、second.example.com<" in page(cast, "zh-hans")


def test_the_files_name_the_mirrors_that_nodes_may_not_use(cast: Cast) -> None:
    for verdict in Verdict:
        add(cast, address=f"{verdict}.example.com")
        Mirror.objects.filter(address=f"{verdict}.example.com").update(verdict=verdict)
    named = page(cast).partition("Delete those that nodes must not use:")[2].partition("</p>")[0]
    assert named.count("example.com") == 3
    assert '<span class="mono">different.example.com</span> (Differs from upstream), ' in named
    assert '<span class="mono">failed.example.com</span> (No answer)' in named


WARNED = {
    ("docker.io", "docker.io"): True,
    ("docker.io", "index.docker.io"): True,
    ("http://reg.internal:5000", "http://reg.internal:5000"): True,
    ("ghcr.io", "ghcr.io:443"): True,
    ("ghcr.io", "docker.io"): False,
    ("reg.internal:5000", "reg.internal"): False,
    ("docker.io", "mirror.example.com"): False,
}


@pytest.mark.parametrize(("pair", "warned"), WARNED.items())
def test_the_pages_of_a_registry_name_the_mirrors_that_get_its_credential(
    cast: Cast, pair: tuple[str, str], warned: bool
) -> None:
    upstream, domain = pair
    add(cast, upstream=upstream)
    cast.add("own", domain=domain)
    for person in ("olive", "vic"):
        client = cast.client(person)
        client.cookies["django_language"] = "en"
        details = client.get("/registries/team-a/own/").content.decode()
        dialog = client.get("/registries/-/add/address/", {"domain": domain}).content.decode()
        assert ('id="mirror-warning"' in details) is warned
        for text in (details, dialog):
            assert ('when they ask: <code class="unbroken">mirror.example.com</code>.' in text) is warned


def test_many_mirrors_are_cut(cast: Cast) -> None:
    for number in range(7):
        add(cast, address=f"m{number}.example.com")
    cast.add("own", domain="docker.io")
    client = cast.client("olive")
    client.cookies["django_language"] = "en"
    details = client.get("/registries/team-a/own/").content.decode()
    assert "m4.example.com</code>, and 2 more. Use" in details
    assert "m5.example.com" not in details
    client.cookies["django_language"] = "zh-hans"
    details = client.get("/registries/team-a/own/").content.decode()
    assert 'm3.example.com</code>、<code class="unbroken">m4.example.com</code>，另有 2 个' in details
