"""`python -m tests.gallery`: prepares Django with a data folder of its own, then runs command.py."""

import os
import sys

from tests import environment  # noqa: F401  sets the environment before Django reads it

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

import django

django.setup()

from tests.gallery.command import main  # noqa: E402

sys.exit(main())
