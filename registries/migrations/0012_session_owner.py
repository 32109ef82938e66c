"""Sessions of people of the cluster know the uid of their person."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registries", "0011_events_of_owner")]

    operations = [
        migrations.AddField(
            "clustersession",
            "owner",
            models.CharField(
                blank=True, default="", help_text="Access.owner of the person", max_length=160
            ),
            preserve_default=False,
        )
    ]
