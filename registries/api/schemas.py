"""JSON Schemas 2020-12 (OpenAPI 3.1) of all bodies and responses. Texts are lazy translations."""

from django.utils.translation import gettext_lazy as _

from registries.api.rule_operations import RULE_SCHEMAS
from registries.api.run_schemas import NEW_PASSWORD, RUN_SCHEMAS
from registries.api.shapes import (
    NAME,
    NAMESPACE,
    STAMP,
    VERSION,
    Schema,
    closed,
    listing,
    reference,
    text,
    thing,
)
from registries.api.status import NAMESPACES, REASONS, RUNS
from registries.api.verdict_schemas import IMAGE_LIST, IMAGE_VERDICT, TEST_LIST, VERDICT
from registries.domain.registry import (
    CONTACT_MAX,
    DESCRIPTION_MAX,
    DISPLAY_NAME_MAX,
    PROBE_IMAGE_MAX,
    Provider,
)
from registries.domain.resource import API_GROUP, KIND, PREFIX

_PROVIDER: Schema = {"enum": [provider.value for provider in Provider]}
_TEXTS = {
    PREFIX + "display-name": text(maxLength=DISPLAY_NAME_MAX),
    PREFIX + "description": text(maxLength=DESCRIPTION_MAX),
    PREFIX + "owner": text(maxLength=CONTACT_MAX),
    PREFIX + "support-contact": text(maxLength=CONTACT_MAX),
    PREFIX + "expires-at": text(
        _("the last day of the credential, as YYYY-MM-DD"), pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
    ),
    PREFIX + "probe-image": text(
        _("an image of this registry, which decides in tests where a login proves no password"),
        maxLength=PROBE_IMAGE_MAX,
    ),
}
_CERTIFICATE_END = text(_("the earliest end of the certificates that tests saw"), format="date-time")
_TOKEN_END = text(_("the end of a token that says so, in the last test"), format="date-time")
_LABELS: Schema = {
    "type": "object",
    "description": _("labels of the client, validated and stored as in Kubernetes"),
    "additionalProperties": {"type": "string"},
}
_CORE = {
    PREFIX + "plain-http": {"enum": ["true"]},
    PREFIX + "ca-bundle": text(_("PEM certificates, also trusted for this registry")),
    PREFIX + "skip-tls-verify": {"enum": ["true"]},
}
_SPEC = {
    "domain": text(_("host[:port]; the prefix `http://` means plain HTTP, a path is ignored")),
    "username": text(),
    "provider": _PROVIDER,
}

SCHEMAS: dict[str, Schema] = (
    RUN_SCHEMAS
    | RULE_SCHEMAS
    | {
        KIND: thing(
            {
                "apiVersion": VERSION,
                "kind": {"const": KIND},
                "metadata": thing(
                    {
                        "name": NAME,
                        "namespace": NAMESPACE,
                        "uid": text(),
                        "resourceVersion": text(_("opaque; changes with every write")),
                        "creationTimestamp": text(format="date-time"),
                        "deletionTimestamp": text(
                            _("when it was deleted; it exists until `finalizers` is empty"),
                            format="date-time",
                        ),
                        "finalizers": {"type": "array", "items": text()},
                        "labels": _LABELS,
                        "annotations": {
                            "type": "object",
                            "properties": {
                                **_TEXTS,
                                **_CORE,
                                PREFIX + "domain": text(),
                                PREFIX + "username": text(),
                                PREFIX + "provider": text(),
                                PREFIX + "verify-status": {"enum": ["success", "failed", "untested"]},
                                PREFIX + "verify-reason": text(_("a reason code")),
                                PREFIX + "verify-message": text(_("in Chinese")),
                                PREFIX + "verify-timestamp": STAMP,
                                PREFIX + "certificate-expires": _CERTIFICATE_END,
                                PREFIX + "token-expires": _TOKEN_END,
                                PREFIX + "password-set-at": text(
                                    _("when the password was changed last"), format="date-time"
                                ),
                            },
                            "required": [PREFIX + "verify-status"],
                            "additionalProperties": {"type": "string"},
                        },
                    },
                    "name",
                    "namespace",
                    "annotations",
                ),
                "spec": thing({**_SPEC, "password": False}, "domain", "username", "provider"),
            },
            "apiVersion",
            "kind",
            "metadata",
            "spec",
            description=_("A registry and its credential. No operation returns the password."),
        ),
        f"New{KIND}": thing(
            {
                "apiVersion": VERSION,
                "kind": {"const": KIND},
                "metadata": thing(
                    {
                        "name": NAME,
                        "namespace": NAMESPACE | {"description": _("if given, must match the path")},
                        "labels": _LABELS,
                        "annotations": {
                            "type": "object",
                            "description": _(
                                "Other annotations are kept, up to 248 KiB. Annotations that the console writes, such "
                                "as verify-status, and kubectl's last-applied-configuration are ignored."
                            ),
                            "properties": {**_TEXTS, **_CORE},
                            "additionalProperties": {"type": "string"},
                        },
                    },
                    "name",
                ),
                "spec": thing(
                    {**_SPEC, "password": text(_("plain text; stored, never returned"), format="password")},
                    "domain",
                    "username",
                    "password",
                    "provider",
                ),
            },
            "metadata",
            "spec",
        ),
        f"{KIND}Patch": closed(
            {
                "metadata": {
                    "type": "object",
                    "properties": {
                        "annotations": {
                            "type": "object",
                            "properties": {name: {"type": ["string", "null"]} for name in _TEXTS},
                            "additionalProperties": False,
                        },
                        **{
                            name: text(_("a precondition: 409 if it differs"), type=["string", "null"])
                            for name in ("name", "namespace", "uid", "resourceVersion")
                        },
                    },
                    "additionalProperties": False,
                }
            },
            description=_(
                "A merge patch (RFC 7396). null removes a text. A patch with any other change is "
                "rejected as a whole."
            ),
        ),
        f"{KIND}List": listing(
            KIND + "List",
            reference(KIND),
            metadata=thing(
                {
                    "resourceVersion": text(),
                    "continue": text(_("where the next page starts; absent on the last one")),
                },
                "resourceVersion",
                additionalProperties=False,
            ),
        ),
        "WatchEvent": closed(
            {
                "type": {"enum": ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]},
                "object": {"type": "object"},
            },
            description=_("One line of a watch. A BOOKMARK has only the current version, an ERROR a Status."),
        ),
        "DeleteOptions": {
            "type": "object",
            "properties": {
                "dryRun": {"type": "array", "items": {"enum": ["All"]}},
                "preconditions": {
                    "type": "object",
                    "properties": {name: {"type": ["string", "null"]} for name in ("uid", "resourceVersion")},
                },
            },
        },
        "Undo": {
            "type": "object",
            "properties": {"uid": text(_("the uid that the registry secret had"))},
        },
        "Credential": {
            "type": "object",
            "properties": {
                "domain": text(),
                "username": text(),
                "password": text(format="password"),
                "caBundle": text(_("PEM certificates, also trusted")),
                "skipTlsVerify": {"type": "boolean"},
                "image": text(
                    _("an image of this registry, looked at after the login: host/project/name:tag")
                ),
            },
            "description": _(
                "Empty, or only an image, to test the stored credential; or domain, username and password together, "
                "to test these."
            ),
        },
        "NewPassword": thing(NEW_PASSWORD, "password"),
        "Verdict": VERDICT,
        "ImageVerdict": IMAGE_VERDICT,
        "ImageList": IMAGE_LIST,
        "NamespaceList": listing(
            "NamespaceList",
            closed(
                {
                    "name": NAMESPACE,
                    **{
                        it: {"type": "integer", "minimum": 0}
                        for it in ("registries", "success", "failed", "untested")
                    },
                    "permissions": {
                        "type": "array",
                        "items": {"enum": ["create", "delete", "get", "list", "patch"]},
                    },
                }
            ),
        ),
        "Status": thing(
            {
                "apiVersion": VERSION,
                "kind": {"const": "Status"},
                "metadata": {"type": "object"},
                "status": {"const": "Failure"},
                "message": text(minLength=1),
                "reason": {"enum": [*REASONS.values(), "AlreadyExists"]},
                "details": {
                    "type": "object",
                    "properties": {
                        "name": text(),
                        "group": {"const": API_GROUP},
                        "kind": {"enum": [KIND, NAMESPACES, RUNS]},
                        "retryAfterSeconds": {"type": "integer", "minimum": 1},
                        "causes": {
                            "type": "array",
                            "minItems": 1,
                            "items": closed(
                                {"reason": text(), "message": text(minLength=1), "field": text()}
                            ),
                        },
                    },
                    "additionalProperties": False,
                },
                "code": {"enum": [*REASONS]},
            },
            *("apiVersion", "kind", "metadata", "status", "message", "reason", "code"),
            additionalProperties=False,
            description=_("Every error, in the format of Kubernetes."),
        ),
        "TestList": TEST_LIST,
    }
)
