"""The settings of `django-admin startproject`. The database connection stays open, as the console's does."""

import os
from pathlib import Path

FOLDER = Path(os.environ.get("FLOOR_FOLDER", ""))
SECRET_KEY = "bench-only-key-that-protects-nothing"
ROOT_URLCONF = "tests.bench.floor.site"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
BEHIND_PROXY = False  # console/worker.py, the worker of both, asks for it
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "floor.sqlite3",
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL;"},
        "CONN_MAX_AGE": None,
    }
}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
API_TESTS = API_WATCHES = 8
"""Read by console/server.py: as many threads as the console has."""
