"""The pull secret of a registry: a kubernetes.io/dockerconfigjson Secret of the same name, for kubelets.

The RegistrySecret owns it, so that the cluster deletes both together. A foreign Secret of that name is never touched.
A Secret belongs to the console when its owner is a RegistrySecret of that name, of any uid; or when it has no owner
(after a deletion with orphans, or from a backup) but the console's label and the right type.
"""

import base64
import json
import logging
from contextlib import suppress

from registries.cluster import paths
from registries.cluster.connection import JSON_PATCH, MERGE_PATCH, Connection, Json
from registries.domain.errors import (
    AlreadyExists,
    Conflict,
    ConsoleError,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)
from registries.domain.reading import as_applied, password_of
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import API_VERSION, KIND, Resource, void_verdict
from registries.pull_secrets.images import auths_keys
from registries.pull_secrets.kinds import PullSecret
from registries.pull_secrets.replacing import REPLACING, Marks

log = logging.getLogger(__name__)

TYPE = "kubernetes.io/dockerconfigjson"
DATA = ".dockerconfigjson"
MANAGED_BY = {"app.kubernetes.io/managed-by": "registry-console"}
OURS = ",".join(f"{name}={value}" for name, value in MANAGED_BY.items())
"""The label selector of pull secrets."""
ATTEMPTS = 3


def docker_config(registry: RegistrySecret, password: str) -> str:
    """The content of the Secret in the format of docker, with the same entry for each name of the registry. Without an
    entry if the address is not valid."""
    pair = base64.b64encode(f"{registry.username}:{password}".encode()).decode()
    entry = {"username": registry.username, "password": password, "auth": pair}
    keys = auths_keys(registry.address)
    return json.dumps({"auths": dict.fromkeys(keys, entry)}, ensure_ascii=False)


def secret_of(registry: RegistrySecret, password: str) -> Json:
    """The Secret that kubelets need for a registry."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": TYPE,
        "metadata": {
            "name": registry.name,
            "namespace": registry.namespace,
            "labels": MANAGED_BY,
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "name": registry.name,
                    "uid": registry.uid,
                    "controller": True,
                }
            ],
        },
        "data": {DATA: base64.b64encode(docker_config(registry, password).encode()).decode()},
    }


class PullSecrets:
    """Reads and writes pull secrets; thread-safe. Raises the errors of the store. `secret`: see Marks."""

    def __init__(self, connection: Connection, secret: str = "") -> None:
        self._connection = connection
        self._marks = Marks(secret)

    def state(self, key: Key) -> PullSecret:
        """The state of the Secret of one registry, after a repair where one was necessary.

        A person who opens the page does not have to wait for the background thread.
        """
        try:
            return self.ensure(key)
        except NotFound:  # or it is being deleted
            pass
        except ConsoleError as error:
            if isinstance(error, Unavailable) and error.passing:
                raise
            log.warning("the pull secret of %s cannot be put right: %s", key, error.code)
        present = self._present(key)
        try:
            return self._standing(present, key, _wanted(self._registry(key)))
        except NotFound:
            return PullSecret.MISSING

    def is_foreign(self, key: Key) -> bool:
        """Whether the Secret of that name was not made by the console."""
        present = self._present(key)
        return present is not None and not _is_ours(present, key)

    def ensure(self, key: Key) -> PullSecret:
        """Creates or repairs the Secret. NotFound when the registry is gone, and its Secret with it.

        The Secret is read before the registry, and is written only if it is still as it was read. Whoever changes a
        registry writes its Secret afterwards. So an older password never takes the place of a newer one.
        """
        for attempt in range(1, ATTEMPTS + 1):
            present, resource = self._present(key), self._registry(key)
            if _is_leaving(resource):
                raise NotFound(str(key))
            if attempt == 1:
                self._void(key, resource)
            standing = self._standing(present, key, wanted := _wanted(resource))
            if standing in (PullSecret.READY, PullSecret.FOREIGN):
                return standing
            try:
                self._bring(key, present, wanted)
            except (AlreadyExists, Conflict, NotFound):
                if attempt == ATTEMPTS:
                    return standing
            else:
                return PullSecret.READY
        raise AssertionError("unreachable")

    def _void(self, key: Key, resource: Resource) -> None:
        """Marks a registry as untested whose password another client changed and left the verdict in place:
        `kubectl get` shows it as it is. A resource that was changed meanwhile is left for the next look."""
        if patch := void_verdict(resource):
            with suppress(ConsoleError):
                self._connection.call(
                    "PATCH", paths.registry(key), subject=str(key), body={"metadata": patch}, kind=MERGE_PATCH
                )

    def put(self, registry: RegistrySecret, password: str, *, new: bool = False) -> str:
        """Creates or changes the Secret of a registry that was created or changed a moment ago. A `new` one seldom has
        a Secret, and that of any other is seldom not as it was left: the first write needs no look.

        Returns the resource version of a Secret that is right now; "" when only another look would tell.
        """
        key, wanted = registry.key, secret_of(registry, password)
        with suppress(AlreadyExists, Conflict, NotFound, Invalid, Refused):
            written = self._create(key, wanted) if new else self._change(key, wanted)
            if _is_right(written, wanted):
                return str(written["metadata"]["resourceVersion"])
        self.ensure(key)
        return ""

    def _create(self, key: Key, wanted: Json) -> Json:
        return self._connection.call("POST", paths.secrets_in(key.namespace), subject=str(key), body=wanted)

    def _change(self, key: Key, wanted: Json) -> Json:
        """Changes the content of a Secret of this owner. The server refuses a patch whose tests fail."""
        metadata = wanted["metadata"]
        tests = {"/type": TYPE, "/metadata/ownerReferences": metadata["ownerReferences"]}
        patch = [{"op": "test", "path": path, "value": value} for path, value in tests.items()]
        patch.append({"op": "replace", "path": "/data", "value": wanted["data"]})
        path = paths.secret(key)
        return self._connection.call("PATCH", path, subject=str(key), body=patch, kind=JSON_PATCH)

    def release(self, registry: RegistrySecret, password: str, uid: str) -> None:
        """Prepares the Secret for the replacement of its registry, which has this uid: the new content, and no owner,
        so that it stays when the old registry goes. A foreign Secret is left alone, and a missing one is made later.
        """
        key, wanted = registry.key, secret_of(registry, password)
        for attempt in range(1, ATTEMPTS + 1):
            present = self._present(key)
            if present is None or not _is_ours(present, key):
                return
            if present.get("type") != TYPE or present.get("immutable"):
                return  # it cannot keep its place; the upkeep makes it anew
            metadata = {
                "resourceVersion": present["metadata"]["resourceVersion"],
                "labels": MANAGED_BY,
                "annotations": {REPLACING: self._marks.mark(key, uid, wanted["data"])},
                "ownerReferences": None,
            }
            patch = {"metadata": metadata, "data": _exactly(present, wanted)}
            try:
                self._connection.call(
                    "PATCH", paths.secret(key), subject=str(key), body=patch, kind=MERGE_PATCH
                )
            except (Conflict, NotFound):
                if attempt == ATTEMPTS:
                    raise
            else:
                return

    def _standing(self, present: Json | None, key: Key, wanted: Json) -> PullSecret:
        if present is None:
            return PullSecret.MISSING
        if not _is_ours(present, key):
            return PullSecret.FOREIGN
        right = _is_right(present, wanted) or self._marks.has_mark(present, key, _owner_uid(wanted))
        return PullSecret.READY if right else PullSecret.OUTDATED

    def _registry(self, key: Key) -> Resource:
        return self._connection.call("GET", paths.registry(key), subject=str(key))

    def _present(self, key: Key) -> Json | None:
        try:
            return self._connection.call("GET", paths.secret(key), subject=str(key))
        except NotFound:
            return None

    def _bring(self, key: Key, present: Json | None, wanted: Json) -> None:
        if present is None:
            self._create(key, wanted)
        else:
            self._replace(key, present, wanted)

    def _replace(self, key: Key, present: Json, wanted: Json) -> None:
        """Brings an own Secret to the wanted state. It is deleted by its uid, so never somebody else's."""
        metadata = present["metadata"]
        owner = _owner_uid(present)
        others = present.get("type") != TYPE or (owner and owner != _owner_uid(wanted))
        if others or present.get("immutable"):
            # A type cannot be changed in place. An owner should not be: its deletion may be under way.
            options = {"preconditions": {"uid": metadata["uid"]}}
            self._connection.call("DELETE", paths.secret(key), subject=str(key), body=options)
            self._create(key, wanted)
        else:
            kept = {name: wanted["metadata"][name] for name in ("labels", "ownerReferences")}
            patch = {
                "metadata": {
                    "resourceVersion": metadata["resourceVersion"],
                    "annotations": {REPLACING: None},
                    **kept,
                },
                "data": _exactly(present, wanted),
            }
            self._connection.call("PATCH", paths.secret(key), subject=str(key), body=patch, kind=MERGE_PATCH)


def _wanted(resource: Resource) -> Json:
    return secret_of(as_applied(resource), password_of(resource))


def _is_leaving(resource: Resource) -> bool:
    """Whether the registry is being deleted; its Secret goes with it."""
    return bool(resource["metadata"].get("deletionTimestamp"))


def _is_right(present: Json, wanted: Json) -> bool:
    """Whether nobody changed it. The label keeps it in the watch, and its only owner deletes it. The content of an
    immutable one is right, but could not follow the registry."""
    metadata, labels = present["metadata"], present["metadata"].get("labels") or {}
    return (
        present.get("type") == TYPE
        and present.get("data") == wanted["data"]
        and metadata.get("ownerReferences") == wanted["metadata"]["ownerReferences"]
        and labels.items() >= MANAGED_BY.items()
        and not present.get("immutable")
    )


def _exactly(present: Json, wanted: Json) -> Json:
    """The merge patch that gives `data` exactly the wanted content."""
    return dict.fromkeys(present.get("data") or {}) | dict(wanted["data"])


def _is_ours(secret: Json, key: Key) -> bool:
    metadata = secret["metadata"]
    if not metadata.get("ownerReferences"):
        return (metadata.get("labels") or {}).items() >= MANAGED_BY.items() and secret.get("type") == TYPE
    return bool(_owner_uid(secret)) and _owner(secret).get("name") == key.name


def _owner_uid(secret: Json) -> str:
    return str(_owner(secret).get("uid") or "")


def _owner(secret: Json) -> Json:
    owners = secret["metadata"].get("ownerReferences") or ()
    return next(
        (it for it in owners if it.get("kind") == KIND and str(it.get("apiVersion")).startswith(_GROUP)), {}
    )


_GROUP = API_VERSION.partition("/")[0] + "/"
