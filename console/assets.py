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
IMPORT = re.compile(r'^@import "(.+)";$', re.MULTILINE)


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Also joins the style sheets, rewrites imports between our ES modules, and drops references to source maps, which
    are not served."""

    support_js_module_import_aggregation = True
    patterns = (("*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),)

    def post_process(self, paths: dict[str, Any], *args: Any, **options: Any) -> Iterator[Any]:
        """Yields what happened to each file. `paths` gives the storage and the path of each file by its name."""
        self.delete(STYLES)
        self.save(STYLES, ContentFile(IMPORT.sub(lambda found: _text(paths[found[1]]), _text(paths[STYLES]))))
        yield from super().post_process(paths | {STYLES: (self, STYLES)}, *args, **options)


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
    digest = sha256()
    for finder in get_finders():
        for path, storage in finder.list(UNUSED):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
