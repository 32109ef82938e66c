"""The audit log: the run of an entry, whether the action failed, and an index for searches."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Q
from django.utils import timezone

PASSED = ("", "ok", "ok_unverified")
"""Notes of tests that did not fail."""


def mark_failures(apps: Apps, schema: BaseDatabaseSchemaEditor) -> None:
    """All refusals, and tests with the reason of a failure."""
    entries = apps.get_model("registries", "AuditEntry").objects
    failed_test = Q(action__in=("test", "try")) & ~Q(note__in=PASSED)
    entries.filter(~Q(outcome="ok") | failed_test).update(failed=True)


class Migration(migrations.Migration):
    dependencies = [("registries", "0013_channels")]

    operations = [
        migrations.AddField(
            "auditentry",
            "failed",
            models.BooleanField(default=False, help_text="refused, or a test that failed"),
        ),
        migrations.AddField(
            "auditentry",
            "run",
            models.UUIDField(null=True, help_text="the run that did it; the run may be deleted"),
        ),
        migrations.AlterField("auditentry", "note", models.CharField(blank=True, max_length=255)),
        migrations.RunPython(mark_failures, migrations.RunPython.noop),
        migrations.AlterField("auditentry", "at", models.DateTimeField(default=timezone.now)),
        migrations.AddIndex(
            "auditentry",
            models.Index(fields=["run", "-at"], name="events_of_run", condition=Q(run__isnull=False)),
        ),
        migrations.AddIndex(
            "auditentry",
            models.Index(
                fields=[
                    *("-at", "-id", "run", "namespace", "person", "action", "failed", "outcome"),
                    *("administrators_only", "name", "owner"),
                ],
                name="events_by_time",
            ),
        ),
    ]
