"""`manage.py changepassword`: Django's command, which here revokes the tokens of the account as well."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.models import User

from registries.audit.action import Action
from registries.domain.access import Access
from registries.people.tokens import revoke_all
from registries.wiring import services


class Command(changepassword.Command):
    help = "Changes the password of an account, and ends its sessions and access tokens."

    def handle(self, *args: Any, **options: Any) -> str | None:
        name = options["username"] = options["username"] or getpass.getuser()
        said = super().handle(*args, **options)  # an exception unless the password has changed
        user = User.objects.using(options["database"]).get(username=name)
        self.stdout.write(f"Access tokens revoked: {revoke_all(user)}")
        services().audit.record(Access("manage.py"), Action.ACCOUNT, note=f"password {name}")
        return said
