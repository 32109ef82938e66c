"""The dialog that changes a password, as tests use it."""

import re
from typing import Any

from django.test import Client

from registries.audit.action import Action
from registries.domain.registry import Key
from registries.models import AuditEntry
from registries.wiring import services

PATH = "/registries/team-a/harbor-prod/password/"


def posted(client: Client, page: str = "", path: str = PATH, **values: str) -> Any:
    """Sends the form as the page shows it, with typed values."""
    shown = page or client.get(PATH).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown))
    hidden.pop("csrfmiddlewaretoken", None)
    return client.post(path, {**hidden, **values})


def stored(name: str = "harbor-prod", namespace: str = "team-a") -> str:
    key = Key(namespace, name)
    return services().store.credential(key, uid=services().store.get(key).uid).password


def tried() -> list[tuple[str, str, str]]:
    """Namespace, name and uid of the tests before saving in the audit log."""
    entries = AuditEntry.objects.filter(action=Action.TRY)
    return list(entries.values_list("namespace", "name", "uid"))


def typed_verdict(client: Client, password: str) -> str:
    """The dialog's verdict of a typed password, with the id of its test."""
    answer = posted(client, path=f"{PATH}try/", password=password).content.decode()
    while "verdict-busy" in answer:
        answer = client.get(re.search(r'hx-get="([^"]+)"', answer)[1]).content.decode()  # type: ignore[index]
    return answer
