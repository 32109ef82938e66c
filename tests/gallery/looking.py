"""Opens a state, and looks at it in each variant: a picture, the rules of layout, and axe."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.gallery.scene import Scene, State
from tests.peers.axe import complaints
from tests.peers.visitors import People

RULES = (Path(__file__).parent / "layout.js").read_text()
"""A function of `phone`; the lines above it are comments."""
PHONE, NARROW = 480, 992
"""The widest phone, and the width from which the navigation is always there, in pixels."""


@dataclass(frozen=True, order=True)
class Variant:
    """How a state is looked at. A zoom of 200 % halves the pixels of the window."""

    language: str
    theme: str
    width: int
    zoom: int = 1

    @property
    def name(self) -> str:
        return f"{self.language}-{self.theme}-{self.width}" + (f"-{self.zoom}00%" if self.zoom > 1 else "")

    @property
    def window(self) -> tuple[int, int]:
        height = 844 if self.width < NARROW // 2 else 800
        return self.width // self.zoom, height // self.zoom


SIZES = ((390, 1), (768, 1), (1280, 1), (1920, 1), (1280, 2))
ALL = tuple(Variant(*it[:2], *it[2]) for it in product(("zh", "en"), ("light", "dark"), SIZES))


@dataclass
class Look:
    state: State
    variant: Variant
    picture: str = ""
    faults: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.state.name} {self.variant.name}"


def look_at(
    state: State, people: People, scene: Scene, variants: Sequence[Variant], folder: Path | None, *, axe: bool
) -> Iterator[Look]:
    """Opens the state once per language and width, and shows it in each theme. Pictures need a folder."""
    people.watch.expected.add(state.status)
    by_window: dict[tuple[str, int, int], list[Variant]] = {}
    for variant in variants:
        by_window.setdefault((variant.language, variant.width, variant.zoom), []).append(variant)
    for themes in by_window.values():
        if themes[0].window[0] > state.widest:
            continue
        page = _opened(state, people, scene, themes[0])
        for variant in themes:
            yield _look(page, state, variant, folder, axe=axe)
        scene.held.let_go()
        people.tidy()


def _opened(state: State, people: People, scene: Scene, variant: Variant) -> Page:
    person = people(state.person) if state.person else people.stranger()
    width, height = variant.window
    size = {"width": width, "height": height}
    page = person.open(state.path, language=variant.language, theme="system", media=_media(variant), **size)
    state.act(page, scene)
    return page


def _media(variant: Variant) -> dict[str, Any]:
    return {"color_scheme": variant.theme, "reduced_motion": "reduce"}


def _look(page: Page, state: State, variant: Variant, folder: Path | None, *, axe: bool) -> Look:
    page.emulate_media(**_media(variant))
    expect(page.locator("html")).to_have_attribute("data-bs-theme", variant.theme)
    look = Look(state, variant)
    if folder is not None:
        look.picture = f"{state.name}-{variant.name}.png".replace("%", "")
        page.screenshot(path=str(folder / look.picture))
    look.faults = list(page.evaluate(RULES, variant.window[0] <= PHONE))
    if axe and not variant.zoom > 1:
        look.faults += [f"axe {complaint}" for complaint in complaints(page)]
    return look
