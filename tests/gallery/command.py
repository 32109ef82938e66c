"""`make gallery`: looks at every state in both languages and themes at four widths and at 200 % zoom.

Writes the pictures and one page with all of them into a folder, and prints the faults of layout and what axe finds.
`python -m tests.gallery --only details --looks zh-light-1280 --folder /tmp/gallery` looks at some states in one way.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

from tests.gallery.book import write_book
from tests.gallery.furnishing import furnish
from tests.gallery.looking import ALL, Look, Variant, look_at
from tests.gallery.of_people import PEOPLE_STATES, console_of_people
from tests.gallery.on_cluster import CLUSTER_STATES, cluster_console
from tests.gallery.scene import Scene, State
from tests.gallery.states import STATES
from tests.peers.api_server import running_server
from tests.peers.cable import Cable
from tests.peers.cluster import Cluster
from tests.peers.command import ROOT
from tests.peers.held import HeldRegistry
from tests.peers.running_console import copied_console, seeded_folder
from tests.peers.visitors import People, Watch
from tests.screenshots import FLAGS


def main() -> int:
    options = _options()
    folder: Path = options.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    looks: list[Look] = []
    with ExitStack() as stack:
        held = HeldRegistry()
        stack.callback(held.stop)
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=shutil.which("chromium-headless-shell") or shutil.which("chromium"), args=FLAGS
        )
        for states, scene in (
            (STATES, _scene),
            (CLUSTER_STATES, _cluster_scene),
            (PEOPLE_STATES, _people_scene),
        ):
            chosen = [it for it in states if any(word in it.name for word in options.only or [""])]
            if chosen:
                with scene(held, options.rows) as shown:
                    looks += _tour(browser, chosen, shown, options)
        browser.close()
    page = write_book(folder, looks)
    faulty = sum(bool(look.faults) for look in looks)
    print(f"{len(looks)} pictures, {faulty} with faults: {page}")
    return 1 if faulty else 0


def _tour(browser: Browser, states: Sequence[State], scene: Scene, options: argparse.Namespace) -> list[Look]:
    people = People(browser, scene.console.url, Watch(scene.console.url), scene.console.cookies())
    looks = []
    for state in states:
        seen = _seen(state, people, scene, options)
        _report(state, seen)
        looks += seen
    return looks


def _seen(state: State, people: People, scene: Scene, options: argparse.Namespace) -> list[Look]:
    """The looks at one state. A state that does not open is a fault too, and does not end the tour."""
    looks: list[Look] = []
    try:
        looks.extend(
            look_at(state, people, scene, _variants(options), options.folder, axe=not options.no_axe)
        )
    except (Error, AssertionError) as error:
        scene.held.let_go()
        people.tidy()
        looks.append(Look(state, ALL[0], faults=[f"does not open: {str(error).splitlines()[0]}"]))
    return looks


def _variants(options: argparse.Namespace) -> Sequence[Variant]:
    return [it for it in ALL if it.name in options.looks] if options.looks else ALL


def _report(state: State, looks: Sequence[Look]) -> None:
    """Prints each kind of fault once, with its first instance and the variants that have it."""
    kinds: dict[str, tuple[str, dict[str, None]]] = {}
    for look in looks:
        for fault in look.faults:
            kind = fault[:60] if "axe" in fault else fault.split('"')[0].split("#")[0] + fault[-10:]
            kinds.setdefault(kind, (fault, {}))[1][look.variant.name] = None
    for fault, variants in kinds.values():
        print(f"{state.name}: {fault} [{len(variants)}: {', '.join(list(variants)[:3])}]", flush=True)


@contextmanager
def _scene(held: HeldRegistry, rows: int) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as place:
        base = seeded_folder(Path(place) / "seeded")
        furnish(Path(place) / "seeded", held, rows=rows)
        console = copied_console(Path(place) / "seeded", Path(place) / "data", base)
        try:
            yield Scene(console, held)
        finally:
            console.stop()


@contextmanager
def _cluster_scene(held: HeldRegistry, rows: int) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as place, running_server(Path(place) / "cluster") as server:
        cluster, cable = Cluster(server), Cable(server.port)
        with cluster_console(cluster, cable, Path(place) / "data") as console:
            yield Scene(console, held, cluster, cable)
        cable.close()


@contextmanager
def _people_scene(held: HeldRegistry, rows: int) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as place, running_server(Path(place) / "cluster") as server:
        cluster = Cluster(server)
        with console_of_people(cluster, Path(place) / "data") as console:
            yield Scene(console, held, cluster)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "gallery", help="where the pictures go")
    parser.add_argument("--only", nargs="*", metavar="WORD", help="states whose names contain one of these")
    parser.add_argument(
        "--looks", nargs="*", metavar="LOOK", help="only these, such as zh-light-1280 or en-dark-1280-200%%"
    )
    parser.add_argument("--rows", type=int, default=1200, help="registries in the largest namespace")
    parser.add_argument("--no-axe", action="store_true", help="leave out axe, which takes half of the time")
    return parser.parse_args()
