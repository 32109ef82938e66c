"""An index for the question whether a person has logged in from an address before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registries", "0010_owner")]

    operations = [
        migrations.AddIndex(
            "auditentry", models.Index(fields=["owner", "action", "source"], name="events_of_owner")
        )
    ]
