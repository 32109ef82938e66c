"""The schemas of runs in the OpenAPI document."""

from django.utils.translation import gettext_lazy as _

from registries.api.shapes import NAMESPACE, VERSION, Schema, closed, listing, reference, text, thing

RUN_TYPES = ["copy", "delete", "rotate", "undo", "verify"]
_ITEMS: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1000,
    "items": thing(
        {
            "namespace": text(),
            "name": text(),
            "uid": text(_("if given, must match the existing object, or the deleted one of an undo")),
        },
        "namespace",
        "name",
    ),
}
NEW_PASSWORD: Schema = {
    "password": text(format="password", minLength=1),
    "test": {"type": "boolean", "description": _("whether it must connect before it is stored")},
    "uid": text(_("If it differs, nothing is changed (409).")),
    "resourceVersion": text(_("If it differs, nothing is changed (409).")),
}
RUN_SCHEMAS: dict[str, Schema] = {
    "NewRotation": thing(
        {
            **NEW_PASSWORD,
            "copies": _ITEMS | {"minItems": 0},
            "anyway": {
                "type": "boolean",
                "description": _("whether the first keeps a password that does not connect"),
            },
        },
        "password",
    ),
    "NewRun": thing(
        {
            "type": {"enum": [it for it in RUN_TYPES if it != "rotate"]},
            "forget": {
                "type": "boolean",
                "description": _("for a deletion: keep nothing for an undo"),
            },
            "copies": {
                "enum": ["keep", "delete"],
                "description": _(
                    "for a deletion of sources whose rules keep copies in sync: keep these copies, or delete those"
                    " that nobody changed"
                ),
            },
            "namespaces": {
                "type": "array",
                "items": NAMESPACE,
                "minItems": 1,
                "maxItems": 1000,
                "description": _(
                    "for a run of copies: each item is copied into each of these; at most 1,000 copies"
                ),
            },
            "items": _ITEMS,
        },
        "type",
        "items",
        additionalProperties=False,
    ),
    "Run": closed(
        {
            "apiVersion": VERSION,
            "kind": {"const": "Run"},
            "id": text(format="uuid"),
            "type": {"enum": RUN_TYPES},
            "state": {"enum": ["proposed", "running", "done", "cancelled", "interrupted"]},
            **{it: {"type": "integer", "minimum": 0} for it in ("total", "ended", "succeeded", "failed")},
            "items": {
                "type": "array",
                "description": _("the newest failed or held items, at most 100 for a test run"),
                "items": closed({it: text() for it in ("namespace", "name", "state", "reason", "problem")}),
            },
        }
    ),
    "RunList": listing("RunList", reference("Run")),
}
