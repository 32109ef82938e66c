"""`manage.py` with a schedule and a sender that look for work at once: `python -m tests.peers.hurried demo …`."""

import os

import django

import manage

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    django.setup()
    from registries.events import sender
    from registries.schedule import sweep

    sweep.PAUSE = sender.EVERY = 0.1
    manage.main()
