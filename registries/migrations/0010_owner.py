"""Runs, tests of typed values and the audit log belong to an account by its id, not by its name."""

from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Concat

OWNER = 160


def name_owners(apps: Any, schema_editor: Any) -> None:
    """Rows of a name belong to the account that has it now; others to a person of the cluster."""
    app, _, model = settings.AUTH_USER_MODEL.partition(".")
    for table in ("Run", "AuditEntry"):
        rows = apps.get_model("registries", table).objects
        rows.update(owner=Concat(Value("name:"), F("person")))
    for pk, name in apps.get_model(app, model).objects.values_list("pk", "username").iterator():
        for table in ("Run", "AuditEntry"):
            apps.get_model("registries", table).objects.filter(person=name).update(owner=f"account:{pk}")


class Migration(migrations.Migration):
    dependencies = [
        ("registries", "0009_store_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Kept for an hour only, and asked for within seconds.
        migrations.RunSQL("DELETE FROM registries_trial", migrations.RunSQL.noop),
        migrations.RemoveField("trial", "person"),
        migrations.AddField("trial", "owner", models.CharField(max_length=OWNER, default=""), preserve_default=False),
        migrations.AddField(
            "run",
            "owner",
            models.CharField(
                db_index=True,
                default="",
                help_text="Access.owner: a later account has another",
                max_length=OWNER,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "auditentry",
            "owner",
            models.CharField(
                blank=True, default="", help_text="Access.owner of the person", max_length=OWNER
            ),
            preserve_default=False,
        ),
        migrations.RunPython(name_owners, migrations.RunPython.noop),
    ]
