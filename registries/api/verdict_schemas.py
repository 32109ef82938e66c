"""The JSON Schemas of verdicts, of the answer about an image, and of the images that pods run."""

from django.utils.translation import gettext_lazy as _

from registries.api.shapes import STAMP, Schema, closed, listing, reference, text
from registries.probe.node_view import NodeView
from registries.probe.reason import ImageReason, Reason

VERDICT: Schema = closed(
    {
        "success": {"type": "boolean"},
        "message": text(_("in the language of Accept-Language, Chinese by default")),
        "reason": {"enum": [reason.value for reason in Reason]},
        "timestamp": STAMP,
        "durationMs": {"type": "integer", "minimum": 0},
        "proven": {"type": "boolean", "description": _("whether the registry checked the password")},
        "hint": text(_("what to do next")),
        "detail": text(
            _(
                "the registry's own text or details of the test, sanitized; shown only to the tester, "
                "never stored"
            )
        ),
        "cause": text(_("a more specific code within the reason")),
        "registryHost": text(),
        "tokenHost": text(),
        "stages": {
            "type": "array",
            "items": closed({"name": text(), "ms": {"type": "number"}, "ok": {"type": "boolean"}}),
        },
        "warnings": {"type": "array", "items": text()},
        "node": {
            "enum": ["", *NodeView],
            "description": _("why some nodes fail though this test succeeds; empty where they do not"),
        },
        "nodeMessage": text(_("the text of `node`")),
        "image": {"oneOf": [{"type": "null"}, reference("ImageVerdict")]},
    }
)
TEST_LIST = listing("TestList", closed({"by": text(_("the person who tested")), **VERDICT["properties"]}))
IMAGE_VERDICT: Schema = closed(
    {
        "image": text(),
        "ok": {"type": "boolean", "description": _("whether nodes, or some of them, can pull it")},
        "reason": {"enum": [reason.value for reason in ImageReason]},
        "message": text(),
        "hint": text(),
        "cause": text(_("a code for the reason image_failed")),
        "retryAfter": {"type": ["integer", "null"]},
        "digest": text(),
        "platforms": {
            "type": "array",
            "items": closed(
                {
                    "name": text(_("os/architecture, and a variant if need be")),
                    "size": {"type": ["integer", "null"], "description": _("bytes, compressed")},
                    "minutes": {
                        "type": ["number", "null"],
                        "description": _("the duration of a pull at CONSOLE_UPLINK_MBITS"),
                    },
                }
            ),
        },
        "nodes": {
            "type": "array",
            "description": _("the platforms of the cluster's nodes, where the caller may list nodes"),
            "items": closed({"name": text(), "count": {"type": "integer"}, "covered": {"type": "boolean"}}),
        },
        "pulls": {
            "oneOf": [
                {"type": "null"},
                closed(
                    {
                        "remaining": {"type": "integer"},
                        "limit": {"type": "integer"},
                        "seconds": {"type": "integer"},
                    }
                ),
            ]
        },
        "note": text(_("a code for what was not read")),
        "noteText": text(),
        "proves": {
            "type": "boolean",
            "description": _("whether the registry refuses the image to a random user"),
        },
    }
)
IMAGE_LIST = listing(
    "ImageList",
    closed({"image": text()}),
    listed={"type": "boolean", "description": _("false where the caller or the console may not list pods")},
)
