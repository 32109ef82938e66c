"""People in front of browsers, and a watch on what their pages do. tests/browser/conftest.py has the fixtures."""

import contextlib
import re
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import (
    APIResponse,
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    WebError,
)

from registries.demo.seed import PASSWORD

ReducedMotion = Literal["reduce", "no-preference"]
LANGUAGES = {"zh": "zh-hans", "en": "en"}
PATIENCE = 60_000
"""Milliseconds that a test waits for something to appear."""
REFUSED_FORM = frozenset({409, 422, 429})
"""Statuses for a form with errors. A test must announce other error statuses."""
STATUS = re.compile(r"the server responded with a status of (\d+)")
"""The line that Chromium writes into its console for an answer with an error status."""
STATUS_OF_HTMX = "Response Status Error Code"
"""How the line of htmx about the same answer begins."""
WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""
LASTING_TOASTS = """
const later = window.setTimeout;
window.setTimeout = (work, delay, ...rest) => later(work, [5000, 12000].includes(delay) ? 600000 : delay, ...rest);
"""
"""Keeps toasts visible, so that a slow machine does not hide them too early."""

FORGET = "localStorage.clear(); sessionStorage.clear(); document.documentElement.style.display = 'none'"
"""A page that is not drawn costs nothing when its theme changes. Fifty rows take a third of a second for that."""


@dataclass
class Watch:
    """Records everything that happens in the browser contexts of a module.

    Chromium's own console tells the statuses, and a request to another host fails: FLAGS let no name be resolved, and
    the Content-Security-Policy is for this host only. Events of all requests and answers would cost a tenth of the
    time of a page.
    """

    url: str
    problems: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=lambda: set(REFUSED_FORM))

    def over(self, context: BrowserContext) -> None:
        context.add_init_script(WATCH_POLICY)
        context.add_init_script(LASTING_TOASTS)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("requestfailed", self._failed)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error" or message.text.startswith(STATUS_OF_HTMX):
            return
        status = STATUS.search(message.text)
        if not status or int(status[1]) not in self.expected:
            self.problems.append(f"console: {message.text} {message.location}")

    def _error(self, error: WebError) -> None:
        self.problems.append(f"script: {error.error}")

    def _failed(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:")):
            self.problems.append(f"another host: {request.url}")


class Person:
    """A person at a browser: a context, and pages in it."""

    def __init__(self, name: str, context: BrowserContext, url: str, motion: ReducedMotion) -> None:
        self.name = name
        self.context = context
        self.url = url
        self.motion = motion
        self._spare: Page | None = None

    def log_in(self) -> None:
        """Logs in without the form, which has tests of its own."""
        assert self.post("/login/", username=self.name, password=PASSWORD).ok

    def post(self, path: str, **values: str) -> APIResponse:
        """Sends a form in the background, as another tab would."""
        token = self.cookie("csrftoken")
        if not token:
            self.context.request.get(f"{self.url}/login/")
            token = self.cookie("csrftoken")
        form = {**values, "csrfmiddlewaretoken": token}
        # A connection that the server closed after a long idle time is reset. The request had no effect then.
        return self.context.request.post(f"{self.url}{path}", form=form, max_retries=2)

    def cookie(self, name: str) -> str:
        return next((it.get("value", "") for it in self.context.cookies() if it.get("name") == name), "")

    def choose(self, name: str, value: str) -> None:
        self.context.add_cookies([{"name": name, "value": value, "url": self.url}])

    def open(
        self,
        path: str = "/registries/",
        *,
        language: str = "zh",
        theme: str = "light",
        width: int = 1280,
        height: int = 900,
        media: dict[str, Any] | None = None,
    ) -> Page:
        """`media` is what the page emulates from the beginning, as for Page.emulate_media."""
        self.context.clear_cookies(name="page_size")
        self.choose("django_language", LANGUAGES[language])
        self.choose("theme", theme)
        page, self._spare = self._spare or self.context.new_page(), None
        page.set_viewport_size({"width": width, "height": height})
        if media:
            page.emulate_media(**media)
        page.goto(path)
        return page

    def tidy(self) -> None:
        """Closes all pages but one, which is used again: a new page takes a quarter of a second."""
        for page in self.context.pages:
            if urlsplit(page.url).scheme == "http":
                with contextlib.suppress(Error):  # after a failed test the page may be loading
                    page.evaluate(FORGET)  # also lets pending events arrive
            if self._spare in (None, page):
                self._spare = page
                page.unroute_all()
                page.emulate_media(color_scheme="null", reduced_motion=self.motion)
            else:
                page.close()


@dataclass
class People:
    """The cast with their browsers. Each person is logged in once, on first use. Those in `cookies` are logged in
    already: it takes half a second of a processor.

    They have asked their systems for less motion: each frame of a transition is drawn, a quarter of what a page costs.
    `motion` is for the tests of what a person meets while something moves."""

    browser: Browser
    url: str
    watch: Watch
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    motion: bool = False
    _known: dict[str, Person] = field(default_factory=dict)
    _strangers: list[Person] = field(default_factory=list)

    def __call__(self, name: str) -> Person:
        if name not in self._known:
            self._known[name] = self._arrive(name)
            for cookie, value in self.cookies.get(name, {}).items():
                self._known[name].choose(cookie, value)
            if name not in self.cookies:
                self._known[name].log_in()
        return self._known[name]

    def stranger(self, name: str = "", **options: bool) -> Person:
        """Another browser without a login, for one test."""
        self._strangers.append(self._arrive(name, **options))
        return self._strangers[-1]

    def _arrive(self, name: str, **options: bool) -> Person:
        motion: ReducedMotion = "no-preference" if self.motion else "reduce"
        context = self.browser.new_context(
            base_url=self.url,
            locale="zh-CN",
            reduced_motion=motion,
            extra_http_headers={"Accept-Encoding": "identity"},  # for the wiretap
            permissions=["clipboard-write"],  # a window gives it to a click; the headless shell has none
            **options,  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE)
        self.watch.over(context)
        return Person(name, context, self.url, motion)

    def tidy(self) -> None:
        for person in [*self._known.values(), *self._strangers]:
            person.tidy()
        while self._strangers:
            self._strangers.pop().context.close()

    def leave(self) -> None:
        for person in self._known.values():
            person.context.close()
