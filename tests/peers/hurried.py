"""`manage.py` with a schedule and a sender that look for work at once: `python -m tests.peers.hurried demo …`."""

import os
import sys

import django
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    django.setup()
    from registries.events import sender
    from registries.schedule import sweep

    sweep.PAUSE = sender.EVERY = 0.1
    execute_from_command_line(["manage.py", *sys.argv[1:]])
