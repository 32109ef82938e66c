"""The URLs of the app. `-` is no valid namespace, so URLs below it never collide with a registry."""

from django.urls import path, register_converter

from registries.api import metrics
from registries.web import icons
from registries.web.administration import accounts, channels, mirrors, namespaces, silences, tokens
from registries.web.frame import palette
from registries.web.journal.journal import journal, journal_run
from registries.web.journal.journal_export import journal_export
from registries.web.lists.list import namespace_options, pulse, registry_list, selection
from registries.web.lists.overview import overview
from registries.web.pulls.pull_failures import pull_failures, restart_pod
from registries.web.pulls.pull_secrets import pull_secret, run_usage, usage
from registries.web.pulls.secret_scan import secret_scan
from registries.web.registry import (
    add,
    checks,
    correct,
    details,
    harbor_secret,
    intervals,
    node_tests,
    password,
    rotation,
    rules,
    sync,
    test_one,
)
from registries.web.registry.edit_delete import delete, edit
from registries.web.registry.relatives import align, relatives, relink
from registries.web.responses import with_accounts_only as local
from registries.web.runs import test_many, undo
from registries.web.runs.copy_to import copy, copy_cancel, copy_many, copy_plan, copy_progress, copy_start
from registries.web.runs.delete_many import batch_delete, run_cancel, run_items, run_progress, run_start
from registries.web.runs.notices import dismiss_notice, run_notices


class NameConverter:
    """A Kubernetes name. Any other text is a 404 before the store is asked."""

    regex = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class AccountConverter(NameConverter):
    """A user name by Django's rules."""

    regex = r"[\w.@+-]{1,150}"


register_converter(NameConverter, "k8s")
register_converter(AccountConverter, "account")

app_name = "registries"
urlpatterns = [
    path("overview/", overview, name="overview"),
    path("registries/", registry_list, name="list"),
    path("registries/-/namespaces/", namespace_options, name="namespace_options"),
    path("registries/-/selection/", selection, name="selection"),
    path("registries/-/palette/", palette, name="palette"),
    path("registries/-/pulse/", pulse, name="pulse"),
    path("registries/-/add/", add.add, name="add"),
    path("registries/-/add/name/", checks.check_name, name="check_name"),
    path("registries/-/add/address/", checks.check_address, name="check_address"),
    path("registries/-/add/ca/", checks.check_ca, name="check_ca"),
    path("registries/-/add/images/", test_one.typed_image_choices, name="add_images"),
    path("registries/-/try/", add.try_connection, name="try"),
    path("registries/-/try/<uuid:trial>/", add.ask_trial, name="trial"),
    path("registries/-/batch-delete/", batch_delete, name="batch_delete"),
    path("registries/-/copy/", copy_many, name="copy_many"),
    path("registries/-/copy/plan/", copy_plan, name="copy_plan"),
    path("registries/-/copies/<uuid:run>/", copy_progress, name="copy_run"),
    path("registries/-/copies/<uuid:run>/start/", copy_start, name="copy_start"),
    path("registries/-/copies/<uuid:run>/cancel/", copy_cancel, name="copy_cancel"),
    path("registries/-/notices/", run_notices, name="run_notices"),
    path("registries/-/notices/<uuid:run>/dismiss/", dismiss_notice, name="dismiss_notice"),
    path("registries/-/runs/<uuid:run>/", run_progress, name="run"),
    path("registries/-/runs/<uuid:run>/items/", run_items, name="run_items"),
    path("registries/-/runs/<uuid:run>/usage/", run_usage, name="run_usage"),
    path("registries/-/runs/<uuid:run>/cancel/", run_cancel, name="run_cancel"),
    path("registries/-/runs/<uuid:run>/start/", run_start, name="run_start"),
    path("registries/-/runs/<uuid:run>/undo/", undo.undo_run, name="undo_run"),
    path("registries/-/undo/<uuid:run>/", undo.undo_progress, name="undo_progress"),
    path("registries/-/undo/<uuid:run>/start/", undo.undo_start, name="undo_start"),
    path("registries/-/rotations/<uuid:run>/", rotation.rotation, name="rotation"),
    path("registries/-/rotations/<uuid:run>/retry/", rotation.rotation_retry, name="rotation_retry"),
    path("registries/-/rotations/<uuid:run>/cancel/", rotation.rotation_cancel, name="rotation_cancel"),
    path("registries/-/rotations/<uuid:run>/leave/", rotation.rotation_leave, name="rotation_leave"),
    path(
        "registries/-/rotations/<uuid:run>/roll-back/",
        rotation.rotation_roll_back,
        name="rotation_roll_back",
    ),
    path("registries/-/verify/", test_many.verify_batch, name="verify_batch"),
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
    path("registries/<k8s:namespace>/<k8s:name>/images/", test_one.image_choices, name="images"),
    path("registries/<k8s:namespace>/<k8s:name>/edit/", edit, name="edit"),
    path("registries/<k8s:namespace>/<k8s:name>/interval/", intervals.registry_interval, name="interval"),
    path("registries/<k8s:namespace>/<k8s:name>/password/", password.change_password, name="password"),
    path("registries/<k8s:namespace>/<k8s:name>/password/try/", password.try_password, name="password_try"),
    path(
        "registries/<k8s:namespace>/<k8s:name>/password/harbor/",
        harbor_secret.renew_secret,
        name="password_harbor",
    ),
    path("registries/<k8s:namespace>/<k8s:name>/correct/", correct.correct, name="correct"),
    path("registries/<k8s:namespace>/<k8s:name>/correct/try/", correct.try_correction, name="correct_try"),
    path("registries/<k8s:namespace>/<k8s:name>/copy/", copy, name="copy"),
    path("registries/<k8s:namespace>/<k8s:name>/relatives/", relatives, name="relatives"),
    path("registries/<k8s:namespace>/<k8s:name>/align/", align, name="align"),
    path("registries/<k8s:namespace>/<k8s:name>/relink/", relink, name="relink"),
    path("registries/<k8s:namespace>/<k8s:name>/sync/", sync.sync, name="sync"),
    path("registries/<k8s:namespace>/<k8s:name>/sync/edit/", sync.sync_edit, name="sync_edit"),
    path("registries/<k8s:namespace>/<k8s:name>/sync/off/", sync.sync_off, name="sync_off"),
    path("registries/<k8s:namespace>/<k8s:name>/sync/solve/<k8s:place>/", sync.sync_solve, name="sync_solve"),
    path("registries/<k8s:namespace>/<k8s:name>/delete/", delete, name="delete"),
    path("registries/<k8s:namespace>/<k8s:name>/undo/<k8s:uid>/", undo.undo, name="undo"),
    path("registries/<k8s:namespace>/<k8s:name>/node/", node_tests.node_test, name="node_test"),
    path("registries/<k8s:namespace>/<k8s:name>/node/<slug:test>/", node_tests.progress, name="node_verdict"),
    path("registries/<k8s:namespace>/<k8s:name>/usage/", usage, name="usage"),
    path("registries/<k8s:namespace>/<k8s:name>/pull-secret/", pull_secret, name="pull_secret"),
    path("journal/", journal, name="journal"),
    path("channels/", channels.channels, name="channels"),
    path("channels/-/silences/add/", silences.silence_add, name="silence_add"),
    path("channels/-/silences/<int:silence>/end/", silences.silence_end, name="silence_end"),
    path("channels/-/add/", channels.channel_add, name="channel_add"),
    path("channels/-/add/<slug:service>/", channels.channel_add, name="channel_add_to"),
    path("channels/-/try/<slug:service>/", channels.channel_try, name="channel_try"),
    path("channels/<uuid:channel>/edit/", channels.channel_edit, name="channel_edit"),
    path("channels/<uuid:channel>/try/", channels.channel_try_again, name="channel_try_again"),
    path("channels/<uuid:channel>/delete/", channels.channel_delete, name="channel_delete"),
    path("journal/export/", journal_export, name="journal_export"),
    path("journal/runs/<uuid:run>/", journal_run, name="journal_run"),
    path("namespaces/", namespaces.namespaces, name="namespaces"),
    path("namespaces/<k8s:name>/interval/", intervals.namespace_interval, name="namespace_interval"),
    path("rules/", rules.rules, name="rules"),
    path("mirrors/", mirrors.mirrors, name="mirrors"),
    path("mirrors/-/add/", mirrors.mirror_add, name="mirror_add"),
    path("mirrors/<int:mirror>/probe/", mirrors.mirror_probe, name="mirror_probe"),
    path("mirrors/<int:mirror>/delete/", mirrors.mirror_delete, name="mirror_delete"),
    path("pull-failures/", pull_failures, name="pull_failures"),
    path("pull-failures/secrets/", secret_scan, name="secret_scan"),
    path("pull-failures/<k8s:namespace>/<k8s:name>/restart/", restart_pod, name="restart_pod"),
    path("metrics", metrics.metrics, name="metrics"),
    path("icons/<slug:version>.svg", icons.sprite, name="icons"),
]
local_administration = [
    path("tokens/", local(tokens.tokens), name="tokens"),
    path("tokens/-/add/", local(tokens.token_add), name="token_add"),
    path("tokens/<int:token>/revoke/", local(tokens.token_revoke), name="token_revoke"),
    path("accounts/", local(accounts.accounts), name="accounts"),
    path("accounts/-/add/", local(accounts.account_add), name="account_add"),
    path("accounts/<account:name>/password/", local(accounts.account_password), name="account_password"),
    path("accounts/<account:name>/roles/", local(accounts.account_grant), name="account_grant"),
    path("accounts/<account:name>/roles/revoke/", local(accounts.account_revoke), name="account_revoke"),
    path("accounts/<account:name>/active/", local(accounts.account_active), name="account_active"),
    path("accounts/<account:name>/delete/", local(accounts.account_delete), name="account_delete"),
    path("namespaces/-/add/", local(namespaces.namespace_add), name="namespace_add"),
    path("namespaces/<k8s:name>/delete/", local(namespaces.namespace_delete), name="namespace_delete"),
]
urlpatterns += local_administration
