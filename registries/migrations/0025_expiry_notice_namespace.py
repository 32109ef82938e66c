from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

TABLES = ("ScheduledRegistry", "VerificationRecord", "StateChange", "DeletedRegistry")
"""Those that know the namespace of a uid."""


def fill(apps: Any, schema_editor: Any) -> None:
    """Gives old notices the namespace of their registry, if any table has it."""
    rows = [apps.get_model("registries", it).objects.filter(uid=OuterRef("uid")) for it in TABLES]
    known = [Subquery(it.values("namespace")[:1]) for it in rows]
    notices = apps.get_model("registries", "ExpiryNotice").objects.filter(namespace="")
    notices.update(namespace=Coalesce(*known, Value("")))


class Migration(migrations.Migration):
    dependencies = [
        ("registries", "0024_run_robots"),
    ]

    operations = [
        migrations.AddField(
            model_name="expirynotice",
            name="namespace",
            field=models.CharField(
                blank=True, default="", help_text="of an old row perhaps not known", max_length=63
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            model_name="scheduledcredential",
            name="recent",
            field=models.CharField(
                blank=True, help_text="+, x (refused) or - for each result, newest last", max_length=21
            ),
        ),
    ]
