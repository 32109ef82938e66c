"""Addresses of the one app. `-` is no namespace's name, so nothing under it can collide with a registry."""

from django.urls import path, register_converter

from registries.api import metrics
from registries.web import add, administration, details, icons, journal, test_many, test_one, tokens
from registries.web.delete_many import batch_delete, run_items, run_progress, run_start
from registries.web.edit_delete import delete, edit
from registries.web.list import namespace_options, pulse, registry_list, selection
from registries.web.pull_secrets import pull_secret, run_usage, usage
from registries.wiring import services


class NameConverter:
    """A Kubernetes name: what is none cannot be there, so it is a 404 before anything is asked."""

    regex = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class AccountConverter(NameConverter):
    """A user name as Django has it."""

    regex = r"[\w.@+-]{1,150}"


register_converter(NameConverter, "k8s")
register_converter(AccountConverter, "account")

app_name = "registries"
urlpatterns = [
    path("registries/", registry_list, name="list"),
    path("registries/-/namespaces/", namespace_options, name="namespace_options"),
    path("registries/-/selection/", selection, name="selection"),
    path("registries/-/pulse/", pulse, name="pulse"),
    path("registries/-/add/", add.add, name="add"),
    path("registries/-/add/name/", add.check_name, name="check_name"),
    path("registries/-/add/address/", add.check_address, name="check_address"),
    path("registries/-/add/ca/", add.check_ca, name="check_ca"),
    path("registries/-/try/", add.try_connection, name="try"),
    path("registries/-/try/<uuid:trial>/", add.ask_trial, name="trial"),
    path("registries/-/batch-delete/", batch_delete, name="batch_delete"),
    path("registries/-/runs/<uuid:run>/", run_progress, name="run"),
    path("registries/-/runs/<uuid:run>/items/", run_items, name="run_items"),
    path("registries/-/runs/<uuid:run>/usage/", run_usage, name="run_usage"),
    path("registries/-/runs/<uuid:run>/start/", run_start, name="run_start"),
    path("registries/-/verify/", test_many.verify_batch, name="verify_batch"),
    path("registries/-/verify/notice/", test_many.verify_notice, name="verify_notice"),
    path("registries/-/verify/<uuid:run>/", test_many.verify_run, name="verify_run"),
    path("registries/-/verify/<uuid:run>/start/", test_many.verify_run_start, name="verify_run_start"),
    path("registries/-/verify/<uuid:run>/cancel/", test_many.verify_run_cancel, name="verify_run_cancel"),
    path(
        "registries/-/verify/<uuid:run>/failures/",
        test_many.verify_run_failures,
        name="verify_run_failures",
    ),
    path("registries/-/verify/<uuid:run>/group/", test_many.verify_run_group, name="verify_run_group"),
    path("registries/<k8s:namespace>/<k8s:name>/", details.details, name="details"),
    path("registries/<k8s:namespace>/<k8s:name>/row/", test_one.row, name="row"),
    path("registries/<k8s:namespace>/<k8s:name>/status/", test_one.card, name="card"),
    path("registries/<k8s:namespace>/<k8s:name>/verify/", test_one.verify, name="verify"),
    path("registries/<k8s:namespace>/<k8s:name>/edit/", edit, name="edit"),
    path("registries/<k8s:namespace>/<k8s:name>/delete/", delete, name="delete"),
    path("registries/<k8s:namespace>/<k8s:name>/usage/", usage, name="usage"),
    path("registries/<k8s:namespace>/<k8s:name>/pull-secret/", pull_secret, name="pull_secret"),
    path("journal/", journal.journal, name="journal"),
    path("namespaces/", administration.namespaces, name="namespaces"),
    path("metrics", metrics.metrics, name="metrics"),
    path("icons/<slug:version>.svg", icons.sprite, name="icons"),
]
local_administration = [
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/-/add/", tokens.token_add, name="token_add"),
    path("tokens/<int:token>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("accounts/", administration.accounts, name="accounts"),
    path("accounts/-/add/", administration.account_add, name="account_add"),
    path("accounts/<account:name>/password/", administration.account_password, name="account_password"),
    path("accounts/<account:name>/roles/", administration.account_grant, name="account_grant"),
    path("accounts/<account:name>/roles/revoke/", administration.account_revoke, name="account_revoke"),
    path("accounts/<account:name>/active/", administration.account_active, name="account_active"),
    path("accounts/<account:name>/delete/", administration.account_delete, name="account_delete"),
    path("namespaces/-/add/", administration.namespace_add, name="namespace_add"),
    path("namespaces/<k8s:name>/delete/", administration.namespace_delete, name="namespace_delete"),
]
if not services().by_cluster:
    urlpatterns += local_administration
