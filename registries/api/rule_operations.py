"""The operations on rules, their schemas and examples."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from registries.api.operation import BASE, ONE, READ_ERRORS, WRITE_ERRORS, Operation
from registries.api.shapes import NAME, NAMESPACE, VERSION, Schema, closed, listing, reference, text, thing
from registries.domain.resource import API_VERSION
from registries.sync.states import CopyState, RuleState, Solution

RULE: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "SyncRule",
    "namespace": "default",
    "name": "harbor-prod",
    "uid": "5f0c7c1e-6d0a-4f0e-9b57-0a1c7a0d3b52",
    "all": False,
    "labelSelector": "",
    "namespaces": ["team-a", "team-b"],
    "unseenNamespaces": 0,
    "bind": False,
    "person": "olive",
    "state": "active",
    "problem": "",
    "inStep": 1,
    "copies": [
        {"namespace": "team-a", "state": "in_step", "problem": ""},
        {"namespace": "team-b", "state": "name_taken", "problem": ""},
    ],
}
SOLVED: dict[str, Any] = {
    **RULE,
    "copies": [*RULE["copies"][:1], {"namespace": "team-b", "state": "waiting", "problem": ""}],
}
SOLVING: dict[str, Any] = {"namespace": "team-b", "solution": "overwrite"}
NEW_RULE: dict[str, Any] = {"namespaces": ["team-a", "team-b"]}
SUMMARY: dict[str, Any] = {name: value for name, value in RULE.items() if name != "copies"}
RULES: dict[str, Any] = {
    "apiVersion": API_VERSION,
    "kind": "SyncRuleList",
    "items": [SUMMARY],
    "totalItems": 1,
}
LABELS_MAX = 500
NAMES_MAX = 1000

_SUMMARY: Schema = {
    "apiVersion": VERSION,
    "kind": {"const": "SyncRule"},
    "namespace": NAMESPACE,
    "name": NAME,
    "uid": text(_("of the source")),
    "all": {"type": "boolean"},
    "labelSelector": text(),
    "namespaces": {"type": "array", "items": NAMESPACE},
    "unseenNamespaces": {
        "type": "integer",
        "minimum": 0,
        "description": _("how many further namespaces are chosen by name that the caller does not see"),
    },
    "bind": {"type": "boolean"},
    "person": text(_("the person in whose name the rule acts")),
    "state": {"enum": [*RuleState]},
    "problem": text(),
    "inStep": {"type": "integer", "minimum": 0},
}
_COPY = closed({"namespace": NAMESPACE, "state": {"enum": [*CopyState]}, "problem": text()})
RULE_SCHEMAS: dict[str, Schema] = {
    "NewSyncRule": thing(
        {
            "all": {"type": "boolean", "description": _("all namespaces, including new ones")},
            "labelSelector": text(
                _("the namespaces of the cluster with these labels, including new ones"), maxLength=LABELS_MAX
            ),
            "namespaces": {"type": "array", "items": NAMESPACE, "maxItems": NAMES_MAX},
            "bind": {
                "type": "boolean",
                "description": _("bind the default service accounts of these namespaces, on a cluster"),
            },
            "uid": text(_("If it differs, nothing is changed (409).")),
        },
        description=_("Exactly one of all, labelSelector and namespaces."),
    ),
    "Solving": thing(
        {
            "namespace": NAMESPACE,
            "solution": {"enum": [*Solution]},
            "uid": text(
                _("of the registry secret in this namespace; if it differs, nothing is changed (409)")
            ),
        },
        "namespace",
        "solution",
    ),
    "SyncRule": closed({**_SUMMARY, "copies": {"type": "array", "items": _COPY}}),
    "SyncRuleSummary": closed(_SUMMARY),
    "SyncRuleList": listing("SyncRuleList", reference("SyncRuleSummary")),
}
_PLACE = ("namespace", "name")
_FOUND = (200, _("The rule."), "SyncRule", RULE)

RULE_OPERATIONS = (
    Operation(
        "listSyncRules",
        "GET",
        f"{BASE}/sync-rules",
        _("List rules"),
        _(
            "The rules whose sources the caller sees. With CONSOLE_AUTH=kubernetes there are no rules: the response "
            "is a 404."
        ),
        (200, _("The rules."), "SyncRuleList", RULES),
        READ_ERRORS,
    ),
    Operation(
        "getSyncRule",
        "GET",
        f"{ONE}/sync-rule",
        _("Get the rule of a source"),
        _("With the state in each namespace that the caller sees."),
        _FOUND,
        READ_ERRORS,
        _PLACE,
    ),
    Operation(
        "putSyncRule",
        "PUT",
        f"{ONE}/sync-rule",
        _("Create or change the rule of a source"),
        _(
            "Creates the rule of a source, or changes it. It requires image-admin in all namespaces, also for the "
            "token: the rule acts in the name of its person, even after the token has expired. With dryRun, copies"
            " has what the rule would find: waiting means that it would write a copy; a problem says why"
            " this would fail."
        ),
        _FOUND,
        (*WRITE_ERRORS, 409, 422),
        (*_PLACE, "dryRun"),
        ("NewSyncRule", NEW_RULE),
    ),
    Operation(
        "solveSyncRule",
        "POST",
        f"{ONE}/sync-rule/solve",
        _("Resolve a conflict of a rule"),
        _(
            "Decides about the copy in one namespace. Each state has one solution: changed takes overwrite, and what"
            " somebody changed is lost; present takes take_over, and the registry secret follows from now on; deleted"
            " takes create_again; failed takes try_again; namespace_gone and left take dismiss, which touches no"
            " registry secret. name_taken has no solution: a registry secret that somebody else made with other values"
            " is never overwritten. It requires the same rights as the rule. The copy is written in the background."
        ),
        (200, _("The rule. The state is waiting until the copy is written."), "SyncRule", SOLVED),
        (*WRITE_ERRORS, 409, 422),
        _PLACE,
        ("Solving", SOLVING),
    ),
    Operation(
        "deleteSyncRule",
        "DELETE",
        f"{ONE}/sync-rule",
        _("Delete the rule of a source"),
        _(
            "If the rule made copies that nobody changed, copies is required, or the response is a 409: keep leaves "
            "them there; delete starts a run that deletes them, and returns the run."
        ),
        (200, _("The rule as it was, or the run."), "SyncRule", RULE),
        (*WRITE_ERRORS, 409),
        (*_PLACE, "copiesOfRule", "unbind"),
        also=("Run",),
    ),
)
