"""Static files: named by their content, compressed once, collected when they change.

Only files that pages use are collected.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.files.base import ContentFile
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage

UNUSED = [
    "*.map",
    "*.rtl.*",
    "bootstrap.*",
    "bootstrap-grid*",
    "bootstrap-utilities*",
    "bootstrap-reboot.css",
    "js-lib-bootstrap5/js/*",
    "django_htmx/ext/*",
    "htmax*",
    "htmx-4*",
    "htmx-2.js",
    "django-htmx.js",
]
STYLES = "console.css"
"""Names the style sheets of a page in their order, each with @import. They are served as this one file: a page waits
for one answer before it is drawn, rather than for one from each sheet."""
SCRIPTS = "console.js"
"""Imports our ES modules. They are served as this one file as well, each in a function of its own."""
STYLE = re.compile(r'^@import "(.+)";$', re.MULTILINE)
MODULE = re.compile(r'^import (?:({.+}) from )?"\./(.+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|function) (\w+))", re.MULTILINE)


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Also joins the style sheets and the ES modules, and drops references to source maps, which are not served."""

    patterns = (("*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),)

    def post_process(self, paths: dict[str, Any], *args: Any, **options: Any) -> Iterator[Any]:
        """Yields what happened to each file. `paths` gives the storage and the path of each file by its name."""
        styles = _text(paths[STYLES])
        modules: dict[str, str] = {}
        _join(SCRIPTS, paths, modules)
        joined = {
            STYLES: STYLE.sub(lambda found: _text(paths[found[1]]), styles),
            SCRIPTS: "".join(modules.values()),
        }
        parts = {*STYLE.findall(styles), *modules, *joined}
        for name in parts:
            self.delete(name)
        for name, text in joined.items():
            self.save(name, ContentFile(text))
        served = {name: place for name, place in paths.items() if name not in parts}
        yield from super().post_process(served | {name: (self, name) for name in joined}, *args, **options)


def _join(name: str, paths: dict[str, Any], modules: dict[str, str]) -> None:
    """Adds a module to `modules`, after those that it imports: as a function that gives what it exports."""
    text = _text(paths[name])
    for _, imported in MODULE.findall(text):
        if f"{imported}.js" not in modules:
            _join(f"{imported}.js", paths, modules)
    exports = ", ".join(EXPORT.findall(text))
    body = MODULE.sub(lambda found: f"const {found[1]} = {_variable(found[2])};\n" if found[1] else "", text)
    body = EXPORT.sub("", body)
    modules[name] = f"const {_variable(name[:-3])} = (() => {{\n{body}return {{ {exports} }};\n}})();\n"


def _variable(module: str) -> str:
    return "module_" + module.replace("-", "_")


def _text(place: tuple[Any, str]) -> str:
    storage, path = place
    with storage.open(path) as file:
        return str(file.read().decode())


def collect() -> None:
    """Updates STATIC_ROOT if a source file changed."""
    stamp = Path(settings.STATIC_ROOT) / "collected"
    current = _fingerprint()
    if stamp.exists() and stamp.read_text() == current:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True, ignore_patterns=UNUSED)
    stamp.write_text(current)


def _fingerprint() -> str:
    digest = sha256(Path(__file__).read_bytes())
    for finder in get_finders():
        for path, storage in finder.list(UNUSED):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
