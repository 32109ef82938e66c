"""`python -m tests.bench.floor ADDRESS:PORT ROWS`: fills a database in FLOOR_FOLDER, writes the session's key into the
file `session` there, and serves with the console's own server."""

import os
import sys
from datetime import UTC, datetime, timedelta

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.floor.settings"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402

from console.server import Server  # noqa: E402
from tests.bench.floor.site import Row  # noqa: E402

PROVIDERS = ("Harbor", "Docker Hub", "阿里云 ACR", "其他")
STATUSES = ("连接成功", "连接成功", "连接失败", "连接成功", "连接失败", "未测试")


def fill(count: int) -> None:
    """The values are those of tests/bench/fill.py."""
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Row)
    now = datetime.now(UTC)
    with transaction.atomic():
        Row.objects.bulk_create(_row(number, now) for number in range(count))


def _row(number: int, now: datetime) -> Row:
    return Row(
        namespace=f"team-{number % 200:03}",
        name=f"registry-{number:05}",
        display_name=f"仓库 {number}",
        domain=f"registry-{number}.example.com:5000",
        username=f"robot${number}",
        provider=PROVIDERS[number % len(PROVIDERS)],
        status=STATUSES[number % len(STATUSES)],
        tested_at=now - timedelta(hours=number % 240),
    )


def log_in() -> str:
    """Returns the key of a new session of a new account."""
    user, session = User.objects.create_user("olive"), SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def main(bind: str, count: str) -> None:
    fill(int(count))
    (settings.FOLDER / "session").write_text(log_in())
    connections.close_all()
    Server(get_wsgi_application(), bind, lambda: None).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
