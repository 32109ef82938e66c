"""Counts refusals in the audit log, and keeps attempts of strangers and pauses within their namespace."""

from typing import Any

from django.db import migrations, models


def separate(apps: Any, schema: Any) -> None:
    """NotFound is the refusal of people who did not see the namespace."""
    entries = apps.get_model("registries", "AuditEntry").objects
    entries.filter(outcome="NotFound").exclude(namespace="").update(administrators_only=True)


def end_pauses(apps: Any, schema: Any) -> None:
    """A pause without a namespace would hold in none. The registry is asked again, once."""
    apps.get_model("registries", "Pause").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("registries", "0007_fence")]

    operations = [
        migrations.RunPython(end_pauses, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="pause", name="one_pause_each"),
        migrations.AddField("pause", "namespace", models.CharField(max_length=63, default=""), preserve_default=False),
        migrations.AddConstraint(
            "pause",
            models.UniqueConstraint(fields=["namespace", "registry", "username"], name="one_pause_each"),
        ),
        migrations.AddField("auditentry", "count", models.PositiveIntegerField(default=1)),
        migrations.AddField(
            "auditentry",
            "last_at",
            models.DateTimeField(null=True, help_text="the last of several refusals"),
        ),
        migrations.AddField(
            "auditentry",
            "repeat",
            models.CharField(
                max_length=64, null=True, unique=True, help_text="equal for equal refusals within an hour"
            ),
        ),
        migrations.AddField(
            "auditentry",
            "administrators_only",
            models.BooleanField(
                default=False,
                help_text="the namespace must not read it: a stranger's attempt, or an earlier namespace",
            ),
        ),
        migrations.RunPython(separate, migrations.RunPython.noop),
    ]
