#!/usr/bin/env python
"""Entry point of all commands. `manage.py help` lists them."""

import atexit
import gc
import os
import sys


def main() -> None:
    """Runs a command. A wrong setting is reported in one line, like an error of a command, unless --traceback is
    given."""
    # At its end Python looks for garbage among all objects, several times: a quarter of a second for nothing.
    atexit.register(gc.freeze)
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
