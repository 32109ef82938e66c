"""The overview for tests: its page, and registries with a past to fill it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from registries.domain.registry import RegistrySecret, Verification, VerifyStatus
from registries.domain.resource import verification_annotations
from registries.probe.reason import Reason
from registries.wiring import services
from tests.cast import Cast

PATH = "/overview/"
HOUR = timedelta(hours=1)


def page(cast: Cast, person: str = "olive", language: str = "en", **headers: str) -> str:
    client = cast.client(person, **headers)
    client.cookies["django_language"] = language
    response = client.get(PATH)
    assert response.status_code == 200
    return response.content.decode()


def part(text: str, name: str) -> str:
    """One panel of the page; "" when it is not there."""
    _, found, rest = text.partition(f'id="{name}"')
    return rest.partition("</section>")[0] if found else ""


def verified(
    cast: Cast, name: str, reason: Reason, namespace: str = "team-a", **values: Any
) -> RegistrySecret:
    """A registry with a verdict, a quarter of an hour old unless `ago` says otherwise."""
    ago: timedelta = values.pop("ago", HOUR / 4)
    it = cast.add(name, namespace, **values)
    status = VerifyStatus.SUCCESS if reason.ok else VerifyStatus.FAILED
    verdict = Verification(status=status, reason=reason.value, message="", at=datetime.now(UTC) - ago)
    services().store.annotate(it.key, verification_annotations(verdict), uid=it.uid)
    return it
