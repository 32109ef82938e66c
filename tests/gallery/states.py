"""The states of the gallery in their order: who looks, at which page, and what they do there first.

A state stands with those of its page: listing.py, details.py, dialogs.py with adding.py and new_values.py, journal.py,
administration.py, log_in.py; those of pages that need a cluster in on_cluster.py and of_people.py. The acts find
elements by ids and classes, not by words, since each state is looked at in both languages.
"""

from playwright.sync_api import Page

from tests.gallery.administration import ADMINISTRATION_STATES
from tests.gallery.details import DETAILS_STATES
from tests.gallery.dialogs import DIALOGS, REFUSED
from tests.gallery.journal import JOURNAL_STATES
from tests.gallery.listing import GROUP_STATES, LIST_STATES, TEST_STATES
from tests.gallery.log_in import LOG_IN_STATES
from tests.gallery.scene import Act, Scene, State


def too_many_exports(page: Page, scene: Scene) -> None:
    url = f"{scene.console.url}/journal/export/"
    while page.request.get(url).status != 429:
        pass
    page.goto(url)


def without(table: str) -> Act:
    """The page again while the database lacks a table."""

    def act(page: Page, scene: Scene) -> None:
        with scene.console.without(table):
            page.reload()
        page.locator("main .empty code").wait_for()

    return act


ERROR_STATES = (
    State("api", "/oapis/docs"),
    State("not-found", "/no-such-page/", status=404),
    State("no-page", "/registries/-/verify/", status=405),
    State("forbidden", "/accounts/", person="vic", status=403),
    State("internal-error", "/mirrors/", without("registries_mirror"), status=500),
    State("internal-error-alone", "/mirrors/", without("django_session"), status=500),
    State("too-many-requests", "/journal/", too_many_exports, person="vic", status=429),
    State("details-gone", "/registries/team-a/no-such-registry/", status=404),
)
STATES = (
    *LIST_STATES,
    *DETAILS_STATES,
    *DIALOGS,
    *TEST_STATES,
    *JOURNAL_STATES,
    *ADMINISTRATION_STATES,
    *ERROR_STATES,
    *GROUP_STATES,
    *REFUSED,
    *LOG_IN_STATES,  # the last ones: after so many wrong passwords the console lets nobody log in for a while
)
