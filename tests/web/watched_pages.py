"""The scheduled checks of a registry, as its page shows them."""

import re

from registries.models import ScheduledCredential, ScheduledRegistry
from tests.cast import Cast


def shown(cast: Cast) -> str:
    client = cast.client("vic")
    client.cookies["django_language"] = "en"
    page = client.get("/registries/team-a/harbor-prod/").content.decode()
    found = re.search(r'<section[^>]*id="watched".*?</section>', page, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) + found[0]


def plan(uid: str, **values: object) -> None:
    credential = ScheduledCredential.objects.create(digest=uid, host="h:443", username="u", **values)
    ScheduledRegistry.objects.create(
        uid=uid, namespace="team-a", name="harbor-prod", fingerprint="", credential=credential
    )
