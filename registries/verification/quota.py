"""How many tests a person may begin in a namespace per minute, since each makes the server dial out. Owns
TestQuota. The tests of a run do not count: a run limits itself.
"""

import time

from django.db.models import F

from registries.domain.access import Access
from registries.domain.errors import TooManyRequests
from registries.models import TestQuota

MINUTE = 60


class Quota:
    """check.Limit on the database, so that several processes count together. `most` is per minute; 0 is no limit."""

    def __init__(self, most: int) -> None:
        self._most = most

    def take(self, access: Access, namespace: str) -> None:
        """Count one test, or raise TooManyRequests with the seconds until the next minute."""
        if not self._most:
            return
        now = int(time.time())
        minute = now // MINUTE
        row, new = TestQuota.objects.get_or_create(
            person=access.person[:150], namespace=namespace, minute=minute
        )
        if new:
            TestQuota.objects.filter(minute__lt=minute).delete()
        within = TestQuota.objects.filter(pk=row.pk, begun__lt=self._most)
        if not within.update(begun=F("begun") + 1):
            raise TooManyRequests(namespace, retry_after=MINUTE - now % MINUTE)
