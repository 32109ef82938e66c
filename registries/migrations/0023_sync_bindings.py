from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registries", "0022_rotations_by_token"),
    ]

    operations = [
        migrations.AddField(
            model_name="synccopy",
            name="made_binding",
            field=models.BooleanField(default=False, help_text="the rule bound it, and no person did since"),
        ),
        migrations.AddField(
            model_name="syncrule",
            name="ending",
            field=models.BooleanField(
                default=False, help_text="switched off; it unbinds what it bound, then it goes"
            ),
        ),
    ]
