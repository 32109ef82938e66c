"""Static files: named by their content, compressed once, collected when they change.

Only files that pages use are collected.
"""

from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
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


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Also rewrites imports between our ES modules, and drops references to source maps, which are not served."""

    support_js_module_import_aggregation = True
    patterns = (("*.css", (r"""(?P<matched>url\(['"]{0,1}\s*(?P<url>.*?)["']{0,1}\))""",)),)


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
