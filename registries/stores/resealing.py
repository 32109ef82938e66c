"""Moves sealed values in the database to a new key while the console runs."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from registries.stores.sealing import Sealer


def reseal_all(sealer: Sealer, rows: QuerySet[Any], field: str) -> int:
    """Seals one field of all rows with the newest key. Returns the number of rows. Unavailable `key_missing`.

    Repeats until there are no new rows. From the moment the new key is configured, all writes use it.
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
