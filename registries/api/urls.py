"""URLs of the API, without a final slash. Unknown URLs get a Status here."""

from django.urls import path, re_path

from registries.api import docs, passwords, registry_secrets, runs, sync_rules, verdicts
from registries.api import endpoint as endpoints
from registries.api.endpoint import NAMES, endpoint
from registries.domain.access import Permission

BASE = "image.theriseunion.io/v1alpha1"
_SECRETS = f"{BASE}/namespaces/<str:namespace>/registry-secrets"

app_name = "api"
operations = [
    path(f"{BASE}/namespaces", endpoint(GET=registry_secrets.list_namespaces), name="namespaces"),
    path(f"{BASE}/namespaces/_all_/registry-secrets", endpoint(GET=registry_secrets.list_all), name="all"),
    path(
        _SECRETS,
        endpoint(GET=registry_secrets.list_namespace, POST=registry_secrets.create),
        name="registry_secrets",
    ),
    path(
        f"{_SECRETS}/<str:name>",
        endpoint(GET=registry_secrets.get, PATCH=registry_secrets.edit, DELETE=registry_secrets.delete),
        name="registry_secret",
    ),
    path(
        f"{_SECRETS}/<str:name>/password",
        endpoint(NAMES, (Permission.CREATE, Permission.EDIT), PUT=passwords.change),
        name="password",
    ),
    path(f"{_SECRETS}/<str:name>/undo", endpoint(POST=registry_secrets.undo), name="undo"),
    path(
        f"{_SECRETS}/<str:name>/rotations",
        endpoint(NAMES, (Permission.CREATE, Permission.EDIT), POST=passwords.rotate),
        name="rotations",
    ),
    path(
        f"{_SECRETS}/<str:name>/verify",
        endpoint(("namespace",), (Permission.TEST,), POST=verdicts.verify),
        name="verify",
    ),
    path(
        f"{_SECRETS}/<str:name>/images",
        endpoint(("namespace",), (Permission.TEST,), GET=verdicts.list_images),
        name="images",
    ),
    path(f"{BASE}/sync-rules", endpoint(GET=sync_rules.list_rules), name="sync_rules"),
    path(
        f"{_SECRETS}/<str:name>/sync-rule",
        endpoint(GET=sync_rules.get, PUT=sync_rules.put, DELETE=sync_rules.delete),
        name="sync_rule",
    ),
    path(f"{_SECRETS}/<str:name>/sync-rule/solve", endpoint(POST=sync_rules.solve), name="sync_rule_solve"),
    path(f"{BASE}/runs", endpoint(GET=runs.list_runs, POST=runs.create), name="runs"),
    path(f"{BASE}/runs/<str:run>", endpoint(GET=runs.get), name="run"),
    path(f"{BASE}/runs/<str:run>/cancel", endpoint(POST=runs.cancel), name="run_cancel"),
    *(
        path(
            f"{BASE}/runs/<str:run>/{way}",
            endpoint(NAMES, (Permission.CREATE, Permission.EDIT), POST=decide),
            name=f"run_{way.replace('-', '_')}",
        )
        for way, decide in (
            ("retry", passwords.retry),
            ("roll-back", passwords.roll_back),
            ("leave", passwords.leave),
        )
    ),
    path(f"{_SECRETS}/<str:name>/tests", endpoint(GET=verdicts.past_tests), name="tests"),
]
documents = [path("openapi.json", docs.openapi, name="openapi"), path("docs", docs.docs, name="docs")]
nowhere = endpoint(
    **dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"), endpoints.nowhere)
)
urlpatterns = [*operations, *documents, re_path(r"^.*$", nowhere, name="nowhere")]
