"""What makes a credential useful to a kubelet: a kubernetes.io/dockerconfigjson Secret of the same name, owned by
its RegistrySecret, so that deleting the one deletes the other. May import client.py, images.py, the domain and
the errors.

A Secret of that name that somebody else made is never touched. Of this project is one whose owner is a
RegistrySecret of that name, whichever incarnation; or one that has no owner any more, as after a deletion that orphans
or from a backup, but this project's label and the type.
"""

import base64
import json
import logging

from registries.cluster import paths
from registries.cluster.connection import MERGE_PATCH, Connection, Json
from registries.domain.errors import AlreadyExists, Conflict, ConsoleError, NotFound, Unavailable
from registries.domain.registry import Key, RegistrySecret
from registries.domain.resource import API_VERSION, KIND, Resource, password_of, to_domain
from registries.pull_secrets.images import auths_key
from registries.pull_secrets.kinds import PullSecret

log = logging.getLogger(__name__)

TYPE = "kubernetes.io/dockerconfigjson"
DATA = ".dockerconfigjson"
MANAGED_BY = {"app.kubernetes.io/managed-by": "registry-console"}
ATTEMPTS = 3


def docker_config(registry: RegistrySecret, password: str) -> str:
    """The content as docker and kubelets read it: by registry, as images name it."""
    pair = base64.b64encode(f"{registry.username}:{password}".encode()).decode()
    entry = {"username": registry.username, "password": password, "auth": pair}
    return json.dumps({"auths": {auths_key(registry.domain): entry}}, ensure_ascii=False)


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
    """Thread-safe; every call is one or two of the API. Errors as of the store."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def state(self, key: Key) -> PullSecret:
        """How the Secret of one registry stands, after it was put right if need be: who looks at it is not to wait for
        the next look at everything, nor for whoever works in the background."""
        try:
            resource = self._registry(key)
        except NotFound:
            return PullSecret.MISSING
        wanted = _wanted(resource)
        try:
            if not _is_leaving(resource):
                return self._put(key, wanted)
        except ConsoleError as error:
            if isinstance(error, Unavailable) and error.passing:
                raise
            log.warning("the pull secret of %s cannot be put right: %s", key, error.code)
        return _standing(self._present(key), key, wanted)

    def is_foreign(self, key: Key) -> bool:
        """Whether somebody else made the Secret of that name. The errors of the store."""
        present = self._present(key)
        return present is not None and not _is_ours(present, key)

    def ensure(self, key: Key) -> PullSecret:
        """Make it what it should be. NotFound when the registry is gone, whose Secret goes with it."""
        resource = self._registry(key)
        if _is_leaving(resource):
            raise NotFound(str(key))
        return self._put(key, _wanted(resource))

    def put(self, registry: RegistrySecret, password: str) -> PullSecret:
        """Make the Secret of a registry that was created a moment ago."""
        return self._put(registry.key, secret_of(registry, password))

    def _put(self, key: Key, wanted: Json) -> PullSecret:
        for _ in range(ATTEMPTS):
            try:
                return self._bring(key, wanted)
            except (AlreadyExists, Conflict, NotFound):
                continue  # somebody was faster: look again
        return _standing(self._present(key), key, wanted)

    def _registry(self, key: Key) -> Resource:
        return self._connection.call("GET", paths.registry(key), subject=str(key))

    def _present(self, key: Key) -> Json | None:
        try:
            return self._connection.call("GET", paths.secret(key), subject=str(key))
        except NotFound:
            return None

    def _bring(self, key: Key, wanted: Json) -> PullSecret:
        present = self._present(key)
        standing = _standing(present, key, wanted)
        if present is None:
            self._connection.call("POST", paths.secrets_in(key.namespace), subject=str(key), body=wanted)
        elif standing is PullSecret.OUTDATED:
            self._replace(key, present, wanted)
        return PullSecret.FOREIGN if standing is PullSecret.FOREIGN else PullSecret.READY

    def _replace(self, key: Key, present: Json, wanted: Json) -> None:
        metadata = present["metadata"]
        if present.get("type") != TYPE or _owner_uid(present) != _owner_uid(wanted):
            # Neither can be changed in place: a type never, and an owner's deletion may be on its way.
            options = {"preconditions": {"uid": metadata["uid"]}}
            self._connection.call("DELETE", paths.secret(key), subject=str(key), body=options)
            self._connection.call("POST", paths.secrets_in(key.namespace), subject=str(key), body=wanted)
        else:
            patch = {
                "metadata": {"resourceVersion": metadata["resourceVersion"]},
                "data": _exactly(present, wanted),
            }
            self._connection.call("PATCH", paths.secret(key), subject=str(key), body=patch, kind=MERGE_PATCH)


def _wanted(resource: Resource) -> Json:
    return secret_of(to_domain(resource), password_of(resource))


def _is_leaving(resource: Resource) -> bool:
    """Whether the registry is being deleted; its Secret goes with it."""
    return bool(resource["metadata"].get("deletionTimestamp"))


def _standing(present: Json | None, key: Key, wanted: Json) -> PullSecret:
    if present is None:
        return PullSecret.MISSING
    if not _is_ours(present, key):
        return PullSecret.FOREIGN
    owned = _owner_uid(present) == _owner_uid(wanted)
    right = owned and present.get("type") == TYPE and present.get("data") == wanted["data"]
    return PullSecret.READY if right else PullSecret.OUTDATED


def _exactly(present: Json, wanted: Json) -> Json:
    """The merge patch of `data` that leaves nothing else in it."""
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
