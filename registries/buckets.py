"""The bucket of every API caller in the database, for all processes that share it. Owns ApiBucket."""

from datetime import UTC, datetime, timedelta

from django.db.models.functions import Now

from registries.limits import MINUTE
from registries.models import ApiBucket

CALLER = 255
"""Characters of a caller that are kept."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StoredBuckets:
    """rates.Buckets on the database, and by its clock: those of several machines differ."""

    def read(self, caller: str) -> tuple[int, int]:
        """A new caller's bucket is made, and those go that have long been full: a new one would be as full."""
        made = False
        rows = ApiBucket.objects.filter(caller=caller[:CALLER]).annotate(now=Now())
        while (row := rows.values_list("full_at", "now").first()) is None:
            ApiBucket.objects.bulk_create([ApiBucket(caller=caller[:CALLER])], ignore_conflicts=True)
            made = True
        now = (row[1] - EPOCH) // timedelta(microseconds=1)
        if made:
            # 0 was made this moment, by whoever is about to write it.
            ApiBucket.objects.filter(full_at__gt=0, full_at__lt=now - MINUTE).delete()
        return row[0], now

    def replace(self, caller: str, old: int, new: int) -> bool:
        return ApiBucket.objects.filter(caller=caller[:CALLER], full_at=old).update(full_at=new) == 1
