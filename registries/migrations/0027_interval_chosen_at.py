import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registries", "0026_joined_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="checkinterval",
            name="chosen_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now,
                help_text="an earlier namespace of this name is known by it",
            ),
        ),
    ]
