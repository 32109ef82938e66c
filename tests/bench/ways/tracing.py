"""Records which functions of the product run while a request is answered.

`sys.setprofile` reports every Python call, in every thread that starts later. A call counts when it happens below the
view, or in a background thread. Calls below a middleware, a context processor, a template tag, the session, a URL
converter or a log filter do not count, and neither does code that only runs because a module is imported.
"""

import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
OURS = (f"{ROOT}/console/", f"{ROOT}/registries/")
STORES = f"{ROOT}/registries/stores/"
RESOURCE = (f"{ROOT}/registries/domain/resource.py", f"{ROOT}/registries/domain/reading.py")
VALUES = ("registries/domain/", "registries/addresses.py", "registries/words/", "registries/models/")
"""Files that only hold values and rules for them, and texts. A reader of a way need not open them."""
STORE_READS = ("get", "credential", "changes")
TEMPLATE = "/django/template/"
APART = (
    f"{ROOT}/registries/templatetags/",
    f"{ROOT}/console/sessions.py",
    f"{ROOT}/registries/log_in/backend.py",
    "/django/urls/",
    "/logging/__init__.py",
)
"""Parts of the paths of template tags, the session and its account, URL converters and log filters."""


@dataclass
class Trace:
    """What one way did. Files are relative to the project's folder."""

    files: set[str] = field(default_factory=set)
    functions: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """The functions that ran, by file, in the order of their first call."""
    around: set[str] = field(default_factory=set)
    """Files that only middleware, context processors, template tags, URL converters and log filters entered."""
    only_templates: set[str] = field(default_factory=set)
    """Those of `files` whose functions were called by templates only."""
    store_reads: Counter[str] = field(default_factory=Counter)
    """Calls of Store.get, Store.credential and Store.changes."""
    decoded: int = 0
    """Calls of json.loads with the JSON of a resource."""
    resource_calls: Counter[str] = field(default_factory=Counter)
    """Functions of domain/resource.py and domain/reading.py that take a resource."""
    requests: list[str] = field(default_factory=list)
    """HTTP requests sent by urllib3: to the API server and to registries."""

    @property
    def own(self) -> list[str]:
        return sorted(it for it in self.files if not it.startswith("registries/probe/"))

    @property
    def steps(self) -> list[str]:
        """`own` without the files that only hold values."""
        return [it for it in self.own if not it.startswith(VALUES)]

    @property
    def probe(self) -> list[str]:
        return sorted(it for it in self.files if it.startswith("registries/probe/"))

    @property
    def reviews(self) -> int:
        """Access reviews sent to the API server."""
        return sum(it.endswith("accessreviews") for it in self.requests)


class Tracer:
    """The profile function of all threads. Install it before the first background thread starts."""

    def __init__(self) -> None:
        self._trace: Trace | None = None
        self._from_views: set[str] = set()
        self._apart: set[CodeType] = set()
        self._older: set[int] = set()

    def install(self) -> None:
        threading.setprofile(self._on_event)
        sys.setprofile(self._on_event)

    @contextmanager
    def tracing(self) -> Iterator[Trace]:
        self._apart = _apart()
        self._older = {it.ident or 0 for it in threading.enumerate()} - {threading.get_ident()}
        self._from_views, trace = set(), Trace()
        self._trace = trace
        try:
            yield trace
        finally:
            self._trace = None
            trace.around -= trace.files
            trace.only_templates = trace.files - self._from_views

    def _on_event(self, frame: FrameType, event: str, _: Any) -> None:
        trace = self._trace
        if trace is None or event != "call":
            return
        code = frame.f_code
        if code.co_filename.startswith(OURS):
            self._entered(trace, frame)
        elif code.co_name == "loads" and code.co_filename.endswith("/json/__init__.py"):
            text = frame.f_locals["s"]
            kind = b"RegistrySecret" if isinstance(text, bytes | bytearray) else "RegistrySecret"
            if kind in text and self._place(frame) in ("view", "template"):
                trace.decoded += 1
        elif code.co_qualname == "HTTPConnectionPool.urlopen" and self._place(frame) in ("view", "template"):
            values = frame.f_locals
            trace.requests.append(f"{values['method']} {values['url'].split('?')[0]}")

    def _entered(self, trace: Trace, frame: FrameType) -> None:
        code = frame.f_code
        if _is_body(code):
            return
        place = self._place(frame)
        name = str(Path(code.co_filename).relative_to(ROOT))
        if place == "apart":
            trace.around.add(name)
        elif place in ("view", "template"):
            trace.files.add(name)
            trace.functions[name][code.co_qualname] = None
            if place == "view":
                self._from_views.add(name)
            if _reads_store(code) and not any(_reads_store(it.f_code) for it in _callers(frame)):
                trace.store_reads[code.co_name] += 1
            if code.co_filename in RESOURCE and code.co_varnames[:1] == ("resource",):
                trace.resource_calls[code.co_name] += 1

    def _place(self, frame: FrameType) -> str:
        """`view`, `template` (below one that is rendered), `apart`, or "" for what is none of this way."""
        template = False
        current: FrameType | None = frame
        while current is not None:
            code = current.f_code
            name = code.co_filename
            if code in self._apart or any(it in name for it in APART):
                return "apart"
            if code.co_name == "<module>" and name.startswith(OURS):
                return ""
            template = template or (TEMPLATE in name and code.co_name in ("render", "render_annotated"))
            if code.co_name == "_get_response" and name.endswith("/django/core/handlers/base.py"):
                return "template" if template else "view"
            current = current.f_back
        if threading.current_thread() is threading.main_thread():
            return ""
        if threading.get_ident() in self._older and not _is_pooled(frame):
            return ""
        return "template" if template else "view"


def _callers(frame: FrameType) -> Iterator[FrameType]:
    current = frame.f_back
    while current is not None:
        yield current
        current = current.f_back


def _is_pooled(frame: FrameType) -> bool:
    return any(it.f_code.co_filename.endswith("/concurrent/futures/thread.py") for it in _callers(frame))


def _is_body(code: CodeType) -> bool:
    """Whether this is the body of a module or of a class, which runs when the module is imported."""
    return code.co_name == "<module>" or not code.co_flags & 0x2  # functions alone have CO_NEWLOCALS


def _reads_store(code: CodeType) -> bool:
    return (
        code.co_filename.startswith(STORES)
        and code.co_name in STORE_READS
        and "Store" in code.co_qualname.split(".")[0]
    )


def _apart() -> set[CodeType]:
    """Functions of ours that Django calls around every view: middleware and context processors.

    A function defined inside one of them belongs to it. For example, a middleware may set an attribute that is
    looked up when a view reads it.
    """
    from django.conf import settings
    from django.utils.module_loading import import_string

    processors = settings.TEMPLATES[0]["OPTIONS"]["context_processors"]
    found: set[CodeType] = set()
    for name in (*settings.MIDDLEWARE, *processors):
        if name.startswith(("console.", "registries.")):
            thing = import_string(name)
            parts = vars(thing).values() if isinstance(thing, type) else (thing,)
            for part in parts:
                if hasattr(part, "__code__"):
                    found |= set(_with_inner(part.__code__))
    return found


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)
