"""What the tests of copies share: making them, and looking at what is stored."""

import re

from django.test import Client

from registries.domain.query import Criteria
from registries.domain.registry import RegistrySecret
from registries.wiring import services
from tests.cast import Cast

ADD = "/registries/-/add/"
MANY = "/registries/-/copy/"
PLAN = "/registries/-/copy/plan/"
PANEL = "/registries/team-a/harbor-prod/relatives/"
ALIGN = "/registries/team-b/harbor-prod/align/"


def namespaces(cast: Cast, *names: str) -> None:
    for name in names:
        services().registries.create_namespace(access=cast.access("olive"), name=name)


def plan(client: Client, sources: list[RegistrySecret], *names: str) -> tuple[str, str]:
    """The preview, and where it is confirmed."""
    values = {"uids": " ".join(it.uid for it in sources), "namespaces": list(names)}
    shown = client.post(PLAN, values).content.decode()
    found = re.search(r'hx-post="([^"]+/start/)"', shown)
    return shown, found[1] if found else ""


def stored(cast: Cast) -> dict[str, RegistrySecret]:
    found = services().index.matching(access=cast.access("olive"), criteria=Criteria())
    return {str(it.key): it for it in found}


def password(registry: RegistrySecret) -> str:
    return services().store.credential(registry.key, uid=registry.uid).password


def copied(cast: Cast, **values: str) -> tuple[RegistrySecret, RegistrySecret]:
    """A source in team-a and its copy in team-b."""
    source, client = cast.add(**values), cast.htmx()
    client.post(plan(client, [source], "team-b")[1])
    return source, stored(cast)["team-b/harbor-prod"]


def panel(cast: Cast, person: str = "olive", path: str = PANEL) -> str:
    return re.sub(r"\s+", " ", cast.htmx(person).get(path).content.decode())


def lines(shown: str) -> list[str]:
    return [re.sub(r"<[^>]*>|\s", "", it) for it in re.findall(r"<li>(.*?)</li>", shown)]
