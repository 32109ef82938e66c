from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registries", "0027_interval_chosen_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="dayrecord",
            name="unproven",
            field=models.PositiveIntegerField(
                default=0, help_text="of `ok`, those that say nothing about the password"
            ),
        ),
    ]
