"""Fixtures of the tests of pages."""

import pytest

from registries.models import AuditEntry
from tests.cast import Cast


@pytest.fixture
def empty_journal(cast: Cast) -> None:
    """The cast begins with entries of its own."""
    AuditEntry.objects.all().delete()
