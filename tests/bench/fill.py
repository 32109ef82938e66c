"""Fills the data folder of its environment. One transaction.

`python -m tests.bench.fill [--one-account] COUNT NAMESPACES [PORT …]`. With ports, the registries are on 127.0.0.1, in
turns; else nowhere. Each has a user name of its own, or all have the same one and are on plain HTTP.
"""

import atexit
import gc
import sys
from datetime import UTC, datetime, timedelta

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from registries.domain.access import EVERYWHERE, Access, Role  # noqa: E402
from registries.domain.registry import Draft, Key, Provider, Verification, VerifyStatus  # noqa: E402
from registries.domain.resource import verification_annotations  # noqa: E402
from registries.people.grants import set_grant  # noqa: E402
from registries.wiring import services  # noqa: E402

PASSWORD = "bench-only-7"
REASONS = ("ok", "ok", "bad_credentials", "ok_unverified", "timeout", "")


def main(count: int, namespaces: int, *ports: int, one_account: bool = False) -> None:
    call_command("migrate", verbosity=0)
    user = User.objects.create_user("olive", password=PASSWORD)
    set_grant(user, EVERYWHERE, Role.ADMIN)
    access = Access.from_grants("olive", [(EVERYWHERE, Role.ADMIN)])
    providers, now = list(Provider), datetime.now(UTC)
    with transaction.atomic():
        for number in range(namespaces):
            services().registries.create_namespace(access=access, name=f"team-{number:03}")
        for number in range(count):
            key = Key(f"team-{number % namespaces:03}", f"registry-{number:05}")
            draft = Draft(
                key,
                f"127.0.0.1:{ports[number % len(ports)]}" if ports else f"registry-{number}.example.com:5000",
                "robot" if one_account else f"robot${number}",
                providers[number % 4],
                "p",
                display_name=f"仓库 {number}",
                plain_http=one_account,
            )
            created = services().store.create(draft)
            reason = REASONS[number % len(REASONS)]
            if reason:
                status = VerifyStatus.SUCCESS if reason.startswith("ok") else VerifyStatus.FAILED
                verdict = Verification(status, reason, "", now - timedelta(hours=number % 240))
                services().store.annotate(key, verification_annotations(verdict), uid=created.uid)


if __name__ == "__main__":
    atexit.register(gc.freeze)  # as manage.py does
    numbers = [it for it in sys.argv[1:] if it != "--one-account"]
    main(*map(int, numbers), one_account=len(numbers) < len(sys.argv[1:]))
