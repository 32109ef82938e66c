"""WSGI entry point."""

import os

import django

from console.handler import Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django.setup(set_prefix=False)
application = Handler()
