"""The list and the card say whether a certificate expired or is not valid yet, and since or until when."""

from datetime import UTC, datetime, timedelta

import pytest

from registries.domain.registry import Key
from registries.domain.resource import certificate_annotations
from registries.models import VerificationRecord
from registries.probe import Reason, Result
from registries.wiring import services
from tests.cast import Cast
from tests.web.test_image_in_list import status
from tests.web.test_verdicts import with_tests

KEY = Key("team-a", "harbor-prod")
NOW = datetime.now(UTC)
PAST, COMING = NOW - timedelta(days=9), NOW + timedelta(days=9)
OVER, EARLY = ({"validity": it, "day": at.isoformat()} for it, at in (("expired", PAST), ("early", COMING)))


@pytest.mark.parametrize(
    ("params", "ends", "zh", "en"),
    [
        (OVER, PAST, f"证书已于 {PAST.astimezone():%Y-%m-%d} 过期", "Certificate expired on "),
        (EARLY, COMING, f"证书 {COMING.astimezone():%Y-%m-%d} 才生效", "Certificate not valid before "),
        ({}, COMING, "证书不在有效期内", "Certificate outside its validity period"),
    ],
)
def test_the_list_and_the_card_say_which_it_is(
    cast: Cast, params: dict[str, str | int], ends: datetime, zh: str, en: str
) -> None:
    with_tests(cast, KEY.name, Result(Reason.TLS_EXPIRED, params))
    uid = services().store.get(KEY).uid
    services().store.annotate(KEY, certificate_annotations(ends), uid=uid)

    assert zh in status(cast, language="zh-hans")
    assert en in status(cast)
    assert zh in cast.client("vic").get("/registries/team-a/harbor-prod/status/").content.decode()

    VerificationRecord.objects.all().delete()  # a month later only the registry itself has the verdict
    assert (zh in status(cast, language="zh-hans")) is (ends == PAST or not params)
