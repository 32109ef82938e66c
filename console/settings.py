"""All settings. Only this module reads environment variables; README.md documents them."""

from datetime import timedelta
from pathlib import Path

import environ

from console import catalogues, datadir

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Data
DEMO = env.bool("CONSOLE_DEMO", default=False)
DATA_DIR = Path(env.str("CONSOLE_DATA_DIR", default=str(BASE_DIR / "data" / ("demo" if DEMO else "console"))))
datadir.prepare(DATA_DIR)
SECRET_KEY = env.str("CONSOLE_SECRET_KEY", default="") or datadir.session_key(DATA_DIR)
_given_keys = tuple(env.list("CONSOLE_PASSWORD_KEYS", default=[]))
PASSWORD_KEYS = (lambda: _given_keys) if _given_keys else datadir.password_keys(DATA_DIR)

# Registries: in the database (embedded), or as resources on a cluster (kubernetes)
STORE = env.str("CONSOLE_STORE", default="embedded")
KUBECONFIG = env.str("KUBECONFIG", default="") or None
KUBE_NAMESPACE = env.str("CONSOLE_NAMESPACE", default="") or None
CLUSTER_NAMESPACES = env.list("CONSOLE_CLUSTER_NAMESPACES", default=[])
PULL_SECRETS = env.bool("CONSOLE_PULL_SECRETS", default=True)

# People: accounts and grants of the console (local), or users and RBAC of the cluster (kubernetes)
AUTH = env.str("CONSOLE_AUTH", default="local")
ACCESS_SECONDS = env.float("CONSOLE_ACCESS_SECONDS", default=10.0)
CLUSTER_ADDRESSES = env.list("CONSOLE_CLUSTER_ADDRESSES", default=[])

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'console.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    datadir.create_private(DATABASES["default"]["NAME"])  # SQLite would let everybody read it
    # WAL: readers never wait for writers. Writers wait for each other. A saved change is on the disk.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
DATABASES["default"]["CONN_MAX_AGE"] = None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Requests and sessions
DEBUG = env.bool("CONSOLE_DEBUG", default=False)
ALLOWED_HOSTS = env.list("CONSOLE_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CONSOLE_TRUSTED_ORIGINS", default=[])
BEHIND_PROXY = env.bool("CONSOLE_BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_ENGINE = "console.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True  # `serve` on loopback sets False
SESSION_COOKIE_AGE = round(3600 * env.float("CONSOLE_SESSION_HOURS", default=12.0))
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = env.int("CONSOLE_HSTS_SECONDS", default=0)
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "registries.web.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# An uploaded file holds a credential, so it is never written to the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

INSTALLED_APPS = [
    "console",
    "registries",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "crispy_forms",
    "crispy_bootstrap5",
    "js_lib_bootstrap5",
    "axes",
]
MIDDLEWARE = [
    "console.request_id.RequestIdMiddleware",
    "console.cookies.CookieMiddleware",
    "registries.api.metrics.ClockMiddleware",
    "console.security.HeadersMiddleware",
    "registries.api.boundary.StatusMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.compression.CompressionMiddleware",
    "registries.api.metrics.ScrapeMiddleware",
    "console.health.HealthMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "console.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "registries.log_in.access.AccessMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "console.security.SignedInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "registries.web.errors.ErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "registries.web.frame.frame",
            ],
        },
    }
]
FORM_RENDERER = "console.form_renderer.FormRenderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# Accounts
PASSWORD_HASHERS = ["console.hashing.SeatedHasher"]  # PBKDF2, as Django's first one
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    # Only one backend, so that sessions of the other kind are invalid.
    "registries.log_in.backend.ClusterBackend"
    if AUTH == "kubernetes"
    else "registries.log_in.backend.AccountBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "registries:list"
AXES_FAILURE_LIMIT = env.int("CONSOLE_LOGIN_ATTEMPTS", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("CONSOLE_LOGIN_LOCK_MINUTES", default=15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # the audit log has it
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "registries.log_in.pages.locked_out"
AXES_USERNAME_CALLABLE = "registries.log_in.pages.throttled_name"
AXES_CLIENT_IP_CALLABLE = "registries.log_in.access.client_address"
AXES_SENSITIVE_PARAMETERS = ["username", "password", "next", "token", "kubeconfig_text"]

# Languages
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
catalogues.compile_stale(LOCALE_PATHS[0])
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
USE_I18N = USE_TZ = True
TIME_ZONE = env.str("CONSOLE_TIME_ZONE", default="Asia/Shanghai")

# Static files
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
FILE_UPLOAD_PERMISSIONS = None  # use the umask: the data folder is private
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "console.assets.Storage"},
}

# Connection tests. The demo registries are on loopback and use a private CA.
PROBE_CA_FILE = (
    str(DATA_DIR / "registries" / "certificates" / "ca.pem")
    if DEMO
    else env.str("CONSOLE_PROBE_CA_FILE", default="") or None
)
PROBE_CERTS_DIR = env.str("CONSOLE_PROBE_CERTS_DIR", default="") or None
PROBE_ALLOW_LOOPBACK = DEMO or env.bool("CONSOLE_PROBE_ALLOW_LOOPBACK", default=False)
PROBE_ALLOW_PRIVATE = env.bool("CONSOLE_PROBE_ALLOW_PRIVATE", default=True)
PROBE_ALLOW_PLAIN_HTTP = env.bool("CONSOLE_PROBE_ALLOW_PLAIN_HTTP", default=True)
PROBE_CONNECT_TIMEOUT = env.float("CONSOLE_PROBE_CONNECT_TIMEOUT", default=5.0)
PROBE_READ_TIMEOUT = env.float("CONSOLE_PROBE_READ_TIMEOUT", default=10.0)
PROBE_TIMEOUT = env.float("CONSOLE_PROBE_TIMEOUT", default=20.0)
PROBE_PROXY = env.str("CONSOLE_PROBE_PROXY", default="") or None
PROBE_NO_PROXY = env.list("CONSOLE_PROBE_NO_PROXY", default=[])
PROBE_PROXY_RESOLVES = env.bool("CONSOLE_PROBE_PROXY_RESOLVES", default=False)
PROBE_REALM_HOSTS = env.list("CONSOLE_PROBE_REALM_HOSTS", default=[])
# Mbit/s of an edge node's connection: how long a pull takes
UPLINK = max(env.float("CONSOLE_UPLINK_MBITS", default=10.0), 0.001)
# The labels that name the group of a node: OpenYurt, KubeEdge, then the zone
NODE_GROUPS = env.list(
    "CONSOLE_NODE_GROUP_LABELS",
    default=["apps.openyurt.io/nodepool", "apps.kubeedge.io/belonging-to", "topology.kubernetes.io/zone"],
)
TESTS_PER_MINUTE = env.int("CONSOLE_TESTS_PER_MINUTE", default=30)
RUN_TESTS = env.int("CONSOLE_RUN_TESTS", default=16)
TEST_THREADS = env.int("CONSOLE_PROBE_THREADS", default=32)

# Messages to people. The console's address is for their links.
NOTIFY_URL = env.str("CONSOLE_URL", default="")
NOTIFY_PLAIN_HTTP = DEMO or env.bool("CONSOLE_NOTIFY_PLAIN_HTTP", default=False)
NOTIFY_MAIL = env.str("CONSOLE_EMAIL_URL", default="")
if NOTIFY_MAIL:
    vars().update(env.email_url_config(NOTIFY_MAIL))
DEFAULT_FROM_EMAIL = env.str("CONSOLE_EMAIL_FROM", default="registry-console@localhost")

# The checks that run by themselves: off, or 1h to 7d
CHECK_INTERVAL = env.str("CONSOLE_CHECK_INTERVAL", default="6h")

# A password that is older than so many days is pointed out; 0: none is.
PASSWORD_AGE_DAYS = env.int("CONSOLE_PASSWORD_AGE_DAYS", default=90)

# The journal, runs and checks are deleted after so many days; 0 keeps them for ever.
RETENTION_DAYS = env.int("CONSOLE_RETENTION_DAYS", default=400)

# A deletion can be undone for so many hours; 0: it cannot.
UNDO_HOURS = env.float("CONSOLE_UNDO_HOURS", default=24.0)

# What one namespace may hold: registries, and MiB of them; 0: no limit
NAMESPACE_REGISTRIES = env.int("CONSOLE_NAMESPACE_REGISTRIES", default=5000)
NAMESPACE_MIB = env.int("CONSOLE_NAMESPACE_MIB", default=32)

# The API
API_RATE = env.int("CONSOLE_API_RATE", default=600)
# The server has one more thread for each test or watch of the API that may wait (console/server.py).
API_TESTS = env.int("CONSOLE_API_TESTS", default=8)
API_WATCHES = env.int("CONSOLE_API_WATCHES", default=8)

# Logs
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "console.request_id.RequestIdFilter"},
        "client_error": {"()": "console.logs.ClientErrorFilter"},
    },
    "formatters": {
        "line": {
            "()": "console.logs.LineFormatter",
            "fmt": "{asctime} {levelname} {name} [{request_id}] {message}",
            "style": "{",
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "client_error"],
        },
    },
    "root": {"handlers": ["stderr"], "level": env.str("CONSOLE_LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "axes": {"level": "ERROR"},
        # It quotes the header, with a traceback. The answer is a 400, which is logged.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
DEFAULT_EXCEPTION_REPORTER_FILTER = "console.reports.ReportFilter"
SILENCED_SYSTEM_CHECKS: list[str] = []
