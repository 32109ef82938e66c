"""`manage.py` whose hash of a password costs nothing: `python -m tests.peers.light demo …`. A real one takes a third of
a second of a processor, for each log-in and each failed one."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher

import manage

if __name__ == "__main__":
    PBKDF2PasswordHasher.iterations = 1
    manage.main()
