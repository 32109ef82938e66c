from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registries", "0025_expiry_notice_namespace"),
    ]

    operations = [
        migrations.AddField(
            model_name="scheduledregistry",
            name="joined_at",
            field=models.DateTimeField(
                help_text="when it got this credential; none: before this was noted", null=True
            ),
        ),
    ]
