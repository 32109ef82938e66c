"""`manage.py changepassword`: Django's command, which here revokes the tokens of the account as well."""

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.models import User

from registries.people.tokens import revoke_all


class Command(changepassword.Command):
    help = "Changes the password of an account, and ends its sessions and access tokens."

    def handle(self, *args: Any, **options: Any) -> str | None:
        said = super().handle(*args, **options)
        user = User.objects.filter(username=options["username"] or "").first()
        if user is not None and said is not None and "successfully" in said:
            self.stdout.write(f"Access tokens revoked: {revoke_all(user)}")
        return said
