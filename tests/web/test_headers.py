"""What every answer carries."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.test import Client

from registries.web import icons
from tests.cast import Cast
from tests.peers.cost import processor_seconds

PAGES = ["/login/", "/registries/", "/registries/team-a/harbor-prod/", "/journal/", "/accounts/", "/nothing/"]


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_is_strict(cast: Cast, path: str) -> None:
    cast.add()

    response = cast.client("olive").get(path)

    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_may_be_kept(cast: Cast, path: str) -> None:
    cast.add()

    response = cast.client("olive").get(path)

    assert "no-store" in response["Cache-Control"]
    assert "HX-Request" in response["Vary"] or "no-cache" in response["Cache-Control"]


def test_templates_hold_no_script_and_no_style() -> None:
    """The policy forbids them; a template that has one is broken."""
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r"\sstyle=", text), path
        assert not re.search(r"\son[a-z]+=", text), path
        assert not re.search(r"(src|href|action)=\"(https?:)?//", text), path


def test_every_answer_has_an_id_of_its_own(cast: Cast) -> None:
    client = cast.client("olive")

    first, second = client.get("/healthz")["X-Request-ID"], client.get("/healthz")["X-Request-ID"]

    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.parametrize(
    ("given", "kept"), [("abcdef-123456", True), ("x\ninjected", False), ("a" * 65, False)]
)
def test_a_proxys_id_is_taken_over_when_it_looks_like_one(given: str, kept: bool) -> None:
    response = Client(headers={"x-request-id": given}).get("/healthz")

    assert (response["X-Request-ID"] == given) is kept


def test_health_needs_nobody_logged_in(db: None) -> None:
    assert Client().get("/healthz").content == b"ok\n"
    assert Client().get("/readyz").content == b"ok\n"


def test_the_sprite_may_be_kept_for_good_under_its_own_version_only() -> None:
    right = Client().get(f"/icons/{icons.current_version()}.svg")
    wrong = Client().get("/icons/other.svg")

    assert "immutable" in right["Cache-Control"]
    assert "immutable" not in wrong["Cache-Control"]
    assert right["Content-Type"] == "image/svg+xml"


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = icons.drawn()
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        for name in re.findall(r'\{% icon "([^"]+)"', path.read_text()):
            assert f'id="{name}"' in sprite, (path, name)


def test_the_sprite_is_drawn_in_a_moment() -> None:
    """The first page waits for it. The icons' archive is read once, not once per icon."""
    assert processor_seconds(icons.drawn.__wrapped__) < 0.15


def test_files_are_named_by_their_content_and_compressed(cast: Cast) -> None:
    page = Client().get("/login/").content.decode()
    stylesheet = re.search(r'href="(/static/console\.[0-9a-f]{12}\.css)"', page)
    assert stylesheet

    response = Client(headers={"accept-encoding": "gzip"}).get(stylesheet[1])

    assert "immutable" in response["Cache-Control"]
    assert response["Content-Encoding"] == "gzip"
    assert b"--accent" in gzip.decompress(b"".join(response.streaming_content))  # type: ignore[arg-type]


def test_the_style_sheets_are_one_file(cast: Cast) -> None:
    page = Client().get("/login/").content.decode()
    links = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
    assert len(links) == 1

    joined = b"".join(Client().get(links[0]).streaming_content).decode()  # type: ignore[arg-type]

    folder = Path(settings.BASE_DIR, "static")
    names = re.findall(r'"(css/.+)"', (folder / "console.css").read_text())
    places = [joined.index((folder / name).read_text()) for name in names]
    assert "@import" not in joined
    assert places == sorted(places)


def test_the_modules_are_one_file(cast: Cast) -> None:
    page = Client().get("/login/").content.decode()
    module = re.search(r'type="module" src="(/static/console\.[0-9a-f]{12}\.js)"', page)
    assert module

    joined = b"".join(Client().get(module[1]).streaming_content).decode()  # type: ignore[arg-type]

    sources = [file for file in Path(settings.BASE_DIR, "static").glob("*.js") if file.name != "theme.js"]
    places = {
        file.stem: joined.find(f"const module_{file.stem.replace('-', '_')} = (() => {{") for file in sources
    }
    assert -1 not in places.values()
    assert re.findall(r"^(?:import|export)\b.*", joined, re.MULTILINE) == []
    for file in sources:
        text = file.read_text()
        assert [name for name in re.findall(r'"\./(.+)\.js"', text) if places[name] > places[file.stem]] == []
        for line in text.splitlines():
            assert line.startswith(("import ", "export ")) or line in joined


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("br", "br"),
        ("br;q=0.5", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br; q=0.0", None),
        ("gzip", "gzip"),
        ("brx, x-br", None),
        ("", None),
    ],
)
def test_a_page_is_compressed_as_the_client_takes_it(cast: Cast, accepted: str, encoding: str | None) -> None:
    undo = {"br": brotli.decompress, "gzip": gzip.decompress, None: lambda content: content}[encoding]
    client = cast.client("olive", accept_encoding=accepted)

    response = client.get("/registries/")

    assert response.get("Content-Encoding") == encoding
    assert b'id="list-state"' in undo(response.content)
    assert "Accept-Encoding" in response["Vary"]
    assert response["Content-Length"] == str(len(response.content))


def test_a_compressed_list_of_the_api_has_a_weak_etag(cast: Cast) -> None:
    for name in ("a", "b", "c"):
        cast.add(name)
    plain = cast.api("olive").get("/oapis/image.theriseunion.io/v1alpha1/namespaces/_all_/registry-secrets")

    response = cast.client("olive", accept_encoding="br").get(plain.wsgi_request.path)

    assert response["ETag"] == f"W/{plain['ETag']}"
    assert brotli.decompress(response.content) == plain.content
