"""Rows whose seals come under a new key, while the console runs. Imports Django's database and sealing alone."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from registries.stores.sealing import Sealer


def reseal_all(sealer: Sealer, rows: QuerySet[Any], field: str) -> int:
    """Bring this field of all rows under the newest key; returns how many there are. Unavailable `key_missing`.

    Rows that appear meanwhile are looked for until there are none: once the new key is in place, everything is
    written under it.
    """
    done: set[int] = set()
    while fresh := set(rows.values_list("pk", flat=True)) - done:
        for pk in fresh:
            with transaction.atomic():
                row = rows.select_for_update().filter(pk=pk).first()
                if row is not None:
                    setattr(row, field, sealer.reseal(getattr(row, field)))
                    row.save(update_fields=[field])
        done |= fresh
    return len(done)
