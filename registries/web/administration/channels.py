"""Pages of channels: where messages about failures go."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.forms.widgets import Input
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registries.addresses import split_url
from registries.domain.access import Permission, role_for
from registries.domain.errors import Forbidden, Invalid, NotFound, TooManyRequests
from registries.events import words
from registries.events.services import SERVICES
from registries.events.services.base import Config, Trouble
from registries.log_in.access import ConsoleRequest
from registries.models import Silence
from registries.probe.scrubber import Scrubber
from registries.schedule import silences
from registries.web.form_dialogs import ALL, confirm, scopes, submit
from registries.web.forms import CauseForm
from registries.web.responses import dialog
from registries.wiring import services
from registries.words.causes import cause_text
from registries.words.labels import FIELDS
from registries.words.times import ago

PAGE, TEMPLATE = "registries:channels", "channels/_form.html"
SECRETS = ("url", "secret", "token")
SAID_MAX = 2_000
"""Characters of a service's words."""
KEY_MIN = 8
"""Characters of a key in a URL, at least. Shorter parts are words such as `robot`."""


class ChannelForm(CauseForm):
    """A channel of one service. Its fields are those of the service; nothing that was typed into a secret is shown."""

    namespace = forms.ChoiceField(label=FIELDS["namespace"])
    name = forms.CharField(
        label=FIELDS["name"], widget=forms.TextInput({"autocomplete": "off", "maxlength": "64"})
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of messages"), choices=words.LANGUAGES)
    enabled = forms.BooleanField(label=gettext_lazy("Turn on this channel"), required=False)

    def __init__(
        self, *args: Any, service: str, namespaces: list[tuple[str, str]] | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.service = service
        stored = namespaces is None  # an existing channel
        for it in SERVICES[service].fields:
            self.fields[it.name] = _field(
                service, it.name, required=it.required and not stored, stored=stored and it.secret
            )
        if namespaces is None:
            del self.fields["namespace"]
            self.order_fields(["name", "language", *(it.name for it in SERVICES[service].fields), "enabled"])
        else:
            del self.fields["enabled"]
            self.fields["namespace"].choices = namespaces  # type: ignore[attr-defined]

    def config(self) -> dict[str, str]:
        typed = self.typed()
        return {it.name: typed[it.name].strip() for it in SERVICES[self.service].fields}


class _Field(forms.CharField):
    """A field with a command below its help, or "". `stored`: it has a value, which stays if the field is empty."""

    command, stored = "", False


def _field(service: str, name: str, *, required: bool, stored: bool) -> forms.CharField:
    example = _("Stored. Leave empty to keep it.") if stored else words.EXAMPLES.get((service, name), "")
    attrs = {"autocomplete": "off", "spellcheck": "false", "class": "mono", "placeholder": str(example)}
    if name in SECRETS:
        attrs["hx-preserve"] = ""  # what was typed stays when the server returns the form without it
    widget: Input = forms.TextInput(attrs)
    if name in SECRETS:
        widget = _Unshown(attrs)
    if name in ("secret", "token"):
        widget = forms.PasswordInput({**attrs, "autocomplete": "new-password", "class": "form-control mono"})
    made = _Field(
        label=str(words.field(service, name)),
        help_text=str(words.HINTS.get((service, name), "")),
        required=required,
        widget=widget,
    )
    made.command, made.stored = words.COMMANDS.get((service, name), ""), stored
    return made


class _Unshown(forms.TextInput):
    """A text input that never holds a value from the server: a webhook's URL is a secret."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


@require_safe
def channels(request: ConsoleRequest) -> HttpResponse:
    found = services().channels.all(access=request.access)
    now = timezone.now()
    rows = [
        (
            it,
            words.SERVICES[it.service],
            words.trouble(it.trouble, it.code),
            ago(it.sent_at, now) if it.sent_at else "",
        )
        for it in found
    ]
    context = {
        "rows": rows,
        "may_add": bool(scopes(request, Permission.CREATE)),
        "everywhere": request.access.administers,
        "may_silence": request.access.may_anywhere(Permission.EDIT),
        "silences": [(it, _what(it)) for it in silences.manageable(access=request.access, now=now)],
    }
    return render(request, "channels/channels.html", context)


def _what(silence: Silence) -> str:
    """The host or the registry of a silence; "" for all."""
    key = services().index.fresh().keys_by_uid.get(silence.uid)
    return silence.host or (key.name if key else silence.uid)


@sensitive_post_parameters(*SECRETS)
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def channel_add(request: ConsoleRequest, service: str = "") -> HttpResponse:
    if not request.access.may_anywhere(Permission.CREATE):
        raise Forbidden("", role_for(Permission.CREATE))
    offered = services().channels.services
    if service not in offered:
        if service:
            raise NotFound(service)
        cards = [(name, words.SERVICES[name]) for name in offered]
        title = _("Add channel")
        return dialog(request, "channels/_services.html", {"cards": cards, "title": title}, title=title)
    title = _("Add channel: %(service)s") % {"service": words.SERVICES[service].text}
    initial = {
        "language": "zh" if request.LANGUAGE_CODE.startswith("zh") else "en",
        "name": _free_name(request, str(words.SERVICES[service].text)),
    }
    places = scopes(request, Permission.CREATE)
    form = ChannelForm(request.POST or None, service=service, namespaces=places, initial=initial)

    @sensitive_variables("typed")
    def change(_values: dict[str, Any]) -> str:
        typed = form.typed()
        made = services().channels.create(
            access=request.access,
            namespace=_namespace(typed["namespace"]),
            name=typed["name"].strip(),
            service=service,
            language=typed["language"],
            config=form.config(),
        )
        return _("Added the channel %(name)s.") % {"name": made.name}

    return submit(request, form, change, title=title, page=PAGE, template=TEMPLATE, service=service)


def _free_name(request: ConsoleRequest, name: str) -> str:
    """A name that no channel has which the person manages: this one, or one with a number."""
    taken = {it.name for it in services().channels.all(access=request.access)}
    names = (name, *(f"{name} {number}" for number in range(2, len(taken) + 2)))
    return next(it for it in names if it not in taken)


@sensitive_post_parameters(*SECRETS)
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
def channel_edit(request: ConsoleRequest, channel: UUID) -> HttpResponse:
    found = services().channels.one(access=request.access, channel=channel)
    title = _("Edit channel: %(name)s") % {"name": found.name}
    initial = {"name": found.name, "language": found.language, "enabled": found.enabled}
    if found.service == "mail":
        stored = services().channels.merged(access=request.access, channel=channel, config={})
        initial["to"] = stored["to"]  # whole: the list of channels shows a part of many
    form = ChannelForm(request.POST or None, service=found.service, namespaces=None, initial=initial)

    @sensitive_variables("typed")
    def change(_values: dict[str, Any]) -> str:
        typed = form.typed()
        services().channels.edit(
            access=request.access,
            channel=channel,
            name=typed["name"].strip(),
            language=typed["language"],
            enabled=typed["enabled"] == "on",
            config=form.config(),
        )
        return _("Saved the channel %(name)s.") % {"name": typed["name"].strip()}

    about = {"channel": found, "service": found.service}
    return submit(request, form, change, title=title, page=PAGE, template=TEMPLATE, **about)


@require_http_methods(["GET", "HEAD", "POST"])
def channel_delete(request: ConsoleRequest, channel: UUID) -> HttpResponse:
    found = services().channels.one(access=request.access, channel=channel)
    change = partial(services().channels.delete, access=request.access, channel=channel)
    title, done = _("Delete channel: %(name)s"), _("Deleted the channel %(name)s.")
    values = {"name": found.name}
    return confirm(
        request, "channels/_delete.html", change, title=title % values, done=done % values, page=PAGE
    )


@sensitive_variables("secrets")
def _said(text: str, config: Config) -> str:
    """What a service said, without the secrets of the channel. A long text, in which their search takes long, is left
    out. It is cut after the search for all of them: half of a secret would not be found."""
    secrets = list(hidden_parts(config))
    if not secrets:
        return text
    if len(text) > SAID_MAX:
        return ""
    scrubber = Scrubber("", secrets[0])
    for secret in secrets[1:]:
        scrubber.add(secret)
    return scrubber.detail(text)


def hidden_parts(config: Config) -> Iterator[str]:
    """The secrets of a channel, and the parts of its URL that are long enough for a key: a service may repeat one."""
    for value in (it for name, it in config.items() if name in SECRETS and it):
        yield value
        parts = split_url(value)
        if parts.scheme:
            yield from (
                it for it in re.split(r"[/?&=;]", f"{parts.path}?{parts.query}") if len(it) >= KEY_MIN
            )


@sensitive_post_parameters(*SECRETS)
@sensitive_variables("form", "config")
@require_POST
def channel_try(request: ConsoleRequest, service: str) -> HttpResponse:
    """Sends a test message by the typed fields of a new channel."""
    if service not in services().channels.services:
        raise NotFound(service)
    form = ChannelForm(request.POST, service=service, namespaces=scopes(request, Permission.CREATE))
    namespace, config = _namespace(form.typed()["namespace"]), form.config()
    return _tried(request, form, service, namespace, form.typed()["language"], config)


@sensitive_post_parameters(*SECRETS)
@sensitive_variables("form", "config")
@require_POST
def channel_try_again(request: ConsoleRequest, channel: UUID) -> HttpResponse:
    """Sends a test message to an existing channel: by what is typed in its form, else by what is stored."""
    found = services().channels.one(access=request.access, channel=channel)
    form = ChannelForm(request.POST, service=found.service, namespaces=None)
    config = services().channels.merged(access=request.access, channel=channel, config=form.config())
    language = form.typed()["language"] or found.language
    return _tried(request, form, found.service, found.namespace, language, config)


@sensitive_variables("config", "secret")
def _tried(
    request: ConsoleRequest,
    form: ChannelForm,
    service: str,
    namespace: str,
    language: str,
    config: dict[str, str],
) -> HttpResponse:
    try:
        services().channels.check(access=request.access, namespace=namespace, service=service, config=config)
    except Invalid as error:
        texts = [f"{form[it.field].label}: {cause_text(it)}" for it in error.causes]
        return render(request, "channels/_outcome.html", {"texts": texts, "ok": False}, status=422)
    wait = services().channel_tests.wait(request.access.owner)
    if wait:
        raise TooManyRequests(retry_after=wait)
    result = services().sender.try_channel(
        service, namespace, "en" if language == "en" else "zh", config, str(uuid4())
    )
    said = _said(result.said, config)
    texts = [words.outcome(result)]
    if result.ok:
        texts = [_("Sent. Check whether the test message has arrived.")]
    elif result.trouble != Trouble.RECIPIENTS:  # the others got it
        texts.insert(0, _("The test message was not delivered."))
    return render(request, "channels/_outcome.html", {"texts": texts, "ok": result.ok, "said": said})


def _namespace(choice: str) -> str:
    return "" if choice == ALL else choice or "?"
