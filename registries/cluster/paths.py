"""The paths of objects and collections on an API server."""

from registries.domain.errors import NotFound, shortened
from registries.domain.metadata import name_problem
from registries.domain.registry import Key
from registries.domain.resource import API_VERSION

PLURAL = "registrysecrets"
GROUP_PATH = f"/apis/{API_VERSION}"
EVERYWHERE = f"{GROUP_PATH}/{PLURAL}"
NAMESPACES = "/api/v1/namespaces"
SECRETS = "/api/v1/secrets"
PODS = "/api/v1/pods"
NODES = "/api/v1/nodes"


def one(collection: str, name: str) -> str:
    """The path of one object. NotFound for a text that is no name.

    The API server does not check the names in references (imagePullSecrets, ownerReferences): `../../kube-system/…`
    would lead to another namespace.
    """
    if name_problem(name) is not None:
        raise NotFound(shortened(name))
    return f"{collection}/{name}"


def registries_in(namespace: str) -> str:
    return f"{GROUP_PATH}/namespaces/{namespace}/{PLURAL}"


def registry(key: Key) -> str:
    return one(registries_in(key.namespace), key.name)


def default_account(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/serviceaccounts/default"


def pods_in(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/pods"


def events_in(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/events"


def secrets_in(namespace: str) -> str:
    return f"{NAMESPACES}/{namespace}/secrets"


def secret(key: Key) -> str:
    return one(secrets_in(key.namespace), key.name)
