"""What of a resource comes back after a deletion."""

from registries.domain.registry import Key
from registries.domain.resource import API_VERSION, KIND, LAST_APPLIED, PREFIX, Resource

_RESULTS = frozenset(
    PREFIX + name
    for name in (
        "verify-status",
        "verify-reason",
        "verify-message",
        "verify-timestamp",
        "certificate-expires",
    )
)


def reviving(resource: Resource) -> Resource:
    """The resource to create again after a deletion: name, labels, annotations and spec, with the password.

    What belonged to the old object is left out: uid, versions, owners, finalizers, and the copy that `kubectl apply`
    keeps, which may hold an older password.
    """
    metadata = resource["metadata"]
    kept = {name: metadata[name] for name in ("name", "namespace", "labels") if metadata.get(name)}
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED}
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {**kept, "annotations": notes},
        "spec": dict(resource.get("spec") or {}),
    }


def key_of(resource: Resource) -> Key:
    return Key(resource["metadata"]["namespace"], resource["metadata"]["name"])


def same_but_tested(one: Resource, other: Resource) -> bool:
    """Whether two results of `reviving` are equal, apart from the results of tests."""

    def untested(resource: Resource) -> Resource:
        metadata = dict(resource["metadata"])
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k not in _RESULTS}
        return {**resource, "metadata": metadata}

    return untested(one) == untested(other)
