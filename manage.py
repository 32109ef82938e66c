#!/usr/bin/env python
"""Entry point of every command; `manage.py help` lists them."""

import os
import sys


def main() -> None:
    """What is wrong with a setting is one line, as an error of a command is, also when it is found before the command
    begins; with --traceback, everything."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"CommandError: {error}")


if __name__ == "__main__":
    main()
