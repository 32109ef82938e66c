"""The query parameters of the audit log: since, until, namespace, name, person, action, outcome, run."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.audit.search import Criteria, Outcome
from registries.web.forms import ConsoleForm
from registries.words.journal import ACTIONS, OUTCOMES

FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)


class JournalFilter(ConsoleForm):
    """Dates are days in the console's time zone. A name that is too long matches nothing; it is not an error."""

    since = forms.CharField(label=_("From day"), required=False)
    until = forms.CharField(label=_("To day"), required=False)
    namespace = forms.CharField(required=False)
    name = forms.CharField(label=_("Name"), required=False)
    person = forms.CharField(label=_("Person"), required=False)
    action = forms.ChoiceField(
        label=_("Action"), required=False, choices=[("", _("All actions")), *ACTIONS.items()]
    )
    outcome = forms.ChoiceField(
        label=_("Outcome"), required=False, choices=[("", _("All outcomes")), *OUTCOMES.items()]
    )
    run = forms.UUIDField(
        label=_("Run"), required=False, error_messages={"invalid": _("There is no such run.")}
    )

    def clean_since(self) -> date | None:
        return _day(self.cleaned_data["since"])

    def clean_until(self) -> date | None:
        return _day(self.cleaned_data["until"])

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day is before the first day."))
        return self.cleaned_data

    @property
    def days(self) -> list[forms.BoundField]:
        return [self["since"], self["until"]]

    @property
    def texts(self) -> list[forms.BoundField]:
        return [self["name"], self["person"]]

    @property
    def choices(self) -> list[forms.BoundField]:
        return [self["action"], self["outcome"]]

    @property
    def active(self) -> int:
        """How many fields are filled in."""
        return sum(bool(self.data[name]) for name in self.base_fields if name != "run")

    @property
    def chosen(self) -> list[str]:
        """What the fields say, as on the page."""
        given = {name: self.data[name] for name in self.base_fields if name != "run" and self.data[name]}
        texts = {**ACTIONS, **{str(code): text for code, text in OUTCOMES.items()}}
        return [str(texts.get(it, it)) if name in ("action", "outcome") else it for name, it in given.items()]

    @classmethod
    def of(cls, request: HttpRequest) -> "JournalFilter":
        # PostgreSQL rejects NUL in a query; no name contains one.
        return cls({name: request.GET.get(name, "").replace("\0", "").strip() for name in cls.base_fields})

    def criteria(self) -> Criteria:
        """Of a valid form."""
        given = self.cleaned_data
        return Criteria(
            start=_midnight(given["since"]),
            end=_midnight(given["until"], days=1),
            namespace=given["namespace"],
            name=given["name"],
            person=given["person"],
            action=given["action"],
            outcome=Outcome(given["outcome"]) if given["outcome"] else None,
            run=given["run"],
        )

    def url(self, view: str = "registries:journal", *args: UUID, **changes: object) -> str:
        """The URL of a view with these parameters and changed ones."""
        given = {name: value for name, value in {**self.data, **changes}.items() if value}
        text = urlencode(given)
        return reverse(view, args=args) + (f"?{text}" if text else "")


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not FIRST <= day <= LAST:
        raise forms.ValidationError(_("Enter a valid date, such as 2026-11-28."))
    return day


def _midnight(day: date | None, days: int = 0) -> datetime | None:
    """The begin of a day, or of a later one, in the console's time zone."""
    if day is None:
        return None
    return timezone.make_aware(datetime(day.year, day.month, day.day) + timedelta(days=days))
