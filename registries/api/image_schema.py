"""The JSON Schemas of the answer about an image, and of the images that pods run."""

from django.utils.translation import gettext_lazy as _

from registries.api.shapes import Schema, closed, listing, text
from registries.probe.reason import ImageReason

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
