"""A fencing number per run, and one test under way per registry. Tests that a process left open are ended first."""

from typing import Any

from django.db import migrations, models
from django.utils import timezone

INTERRUPTED = '{"problem": "interrupted"}'


def end_open_tests(apps: Any, schema_editor: Any) -> None:
    record = apps.get_model("registries", "VerificationRecord")
    record.objects.filter(finished_at__isnull=True).update(finished_at=timezone.now(), outcome=INTERRUPTED)


class Migration(migrations.Migration):
    dependencies = [("registries", "0006_drop_test_quota")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="fence",
            field=models.PositiveIntegerField(
                default=0, help_text="counts the claims: an earlier claim begins nothing any more"
            ),
        ),
        migrations.RunPython(end_open_tests, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="verificationrecord",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at__isnull", True)), fields=("uid",), name="one_test_under_way"
            ),
        ),
    ]
