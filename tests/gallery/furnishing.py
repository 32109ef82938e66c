"""The namespaces of the gallery beside those of the demo, and the process that fills them."""

from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from tests.peers.command import manage
from tests.peers.held import HeldRegistry

REASONS, LONGEST, ONE, MANY, EMPTY = (
    "gallery-reasons",
    "longest-" + "n" * 55,
    "gallery-one",
    "gallery-many",
    "empty",
)
WAITING, HELD = "gallery-waiting", "registry-held"
LONG_NAME = "harbor-" + "x" * 240 + "-prod"
RUNS = {
    (kind, state, done): uuid5(NAMESPACE_URL, f"{kind} {state} {done}")
    for kind in ("copy", "delete", "verify")
    for state, done in (
        ("running", 0),
        ("running", 40),
        ("interrupted", 40),
        ("cancelled", 40),
        ("done", 100),
    )
}
"""The runs of nina: kind, state and percent done -> id."""
RUNS |= {
    ("undo", state, done): uuid5(NAMESPACE_URL, f"undo {state} {done}")
    for state, done in (("running", 40), ("interrupted", 40), ("done", 100))
}
RUNS |= {
    ("rotate", state, done): uuid5(NAMESPACE_URL, f"rotate {state} {done}")
    for state, done in (("running", 0), ("running", 40), ("cancelled", 40))
}
LABEL = "x" * 60
LONG_PERSON = "maria." + "x" * 140
"""A person with a role in each of the namespaces above."""
CALM = "ruth"
"""A viewer of a namespace in which everything works."""
LEFT = "lee.has.left"
"""A deactivated account."""
LONG_VALUES = {
    "domain": f"{LABEL}.{LABEL}.{LABEL}.example.com:65535",
    "username": "u" * 200,
    "display_name": "长" * 60 + "w" * 60,
    "description": "一段很长的说明，" * 60,
}


def furnish(folder: Path, held: HeldRegistry, *, rows: int) -> None:
    """`held` becomes one registry of the namespace WAITING, so that a test lasts as long as somebody looks."""
    code = f"from tests.gallery.filling import fill; fill({rows}, {held.credential['domain']!r})"
    done = manage(folder, "shell", "-c", code, CONSOLE_DEMO="1")
    assert done.returncode == 0, done.stderr
