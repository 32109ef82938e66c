"""The initial content of the demo: its history is consistent."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from registries.demo.process import DemoRegistries
from registries.demo.seed import SEEDS, seed
from registries.domain.registry import Key
from registries.models import AuditEntry, StoredResource, VerificationRecord
from registries.wiring import services


def test_everything_was_made_before_it_was_tested(
    db: None, demo_registries: DemoRegistries, probing: Callable[[str], dict[str, str]]
) -> None:
    seed(demo_registries)

    snapshot = services().index.fresh()
    listed = [snapshot.find(Key(entry.namespace, entry.name)) for entry in SEEDS]
    for it in listed:
        assert it
        [row] = StoredResource.objects.filter(uid=it.uid)
        made = datetime.fromisoformat(json.loads(row.body)["metadata"]["creationTimestamp"])
        [entry] = AuditEntry.objects.filter(uid=it.uid)
        tests = list(VerificationRecord.objects.filter(uid=it.uid).order_by("started_at"))
        assert made == it.created_at, "the list knows"
        assert made <= entry.at < made + timedelta(seconds=1)
        moments = [made, *(test.started_at for test in tests), datetime.now(UTC)]
        assert all(before < after for before, after in pairwise(moments)), it.key
    namespaces = AuditEntry.objects.filter(action="namespace").latest("at")
    assert namespaces.at < min(it.created_at for it in listed if it)
