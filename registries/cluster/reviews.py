"""The permissions of a person, from SelfSubjectAccessReviews made with that person's credential.

One SelfSubjectRulesReview would answer for all verbs, but its answer is incomplete when an authorizer is a webhook, as
at most cloud providers. An access review is always complete.
"""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from registries.domain.access import Permission
from registries.domain.errors import Problem, Unavailable

if TYPE_CHECKING:
    from registries.cluster.connection import Connection

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
PATIENCE = 5.0
"""Seconds for one answer, since a page waits for it."""
GROUP, RESOURCE = "image.theriseunion.io", "registrysecrets"


@dataclass(frozen=True, slots=True)
class Held:
    """The permissions in all namespaces, and in single namespaces by name. Namespaces without any are left out."""

    everywhere: frozenset[Permission]
    namespaces: Mapping[str, frozenset[Permission]]


def ask(connection: "Connection", path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The status of a review. Raises the errors of Connection.call.

    A review is a POST that writes nothing. A missing answer is therefore a timeout, not an uncertain write.
    """
    try:
        status = connection.call("POST", path, subject="", body=body, read=PATIENCE).get("status")
    except Unavailable as error:
        problem = Problem.CLUSTER_TIMEOUT if error.problem == Problem.CLUSTER_UNCERTAIN else error.problem
        raise Unavailable("", problem, passing=error.passing) from None
    return status if isinstance(status, dict) else {}


def may(connection: "Connection", verb: str, namespace: str, part: str = "") -> bool:
    """Whether a verb on registries is allowed in a namespace, in all for "". `part` is a subresource. Unavailable."""
    attributes = {"group": GROUP, "resource": RESOURCE, "verb": verb}
    if namespace:
        attributes["namespace"] = namespace
    if part:
        attributes["subresource"] = part
    return _allows(connection, {"resourceAttributes": attributes})


def may_pods(connection: "Connection", verb: str, namespace: str) -> bool:
    """Whether a verb on pods is allowed in a namespace. Unavailable."""
    return _allows(
        connection, {"resourceAttributes": {"resource": "pods", "verb": verb, "namespace": namespace}}
    )


def may_get(connection: "Connection", path: str) -> bool:
    """Whether `get` is allowed on a path that is not a resource. Unavailable."""
    return _allows(connection, {"nonResourceAttributes": {"path": path, "verb": "get"}})


def _allows(connection: "Connection", spec: dict[str, Any]) -> bool:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    status = ask(connection, REVIEW, body)
    return status.get("allowed") is True and status.get("denied") is not True


def held_by(connection: "Connection", namespaces: Collection[str], threads: Executor) -> Held:
    """All permissions of the person of this connection.

    Unavailable `cluster_token` when the server does not accept the credential, `cluster_forbidden` when it does not
    answer reviews for this person.

    The order of the reviews: all verbs for all namespaces; then `list` in each namespace; then the other verbs in the
    visible namespaces; last `get`, where the verdict of a test could be written. A person with a role everywhere costs
    five reviews, and each invisible namespace costs one.
    """
    words = list(threads.map(lambda permission: may(connection, permission, ""), Permission))
    everywhere = frozenset(it for it, word in zip(Permission, words, strict=True) if word)
    if everywhere == frozenset(Permission):
        return Held(everywhere, {})
    if Permission.EDIT not in everywhere:
        everywhere -= {Permission.TEST}  # viewers may `get`, too, but could not write the verdict
    seen = list(namespaces)
    if Permission.SEE not in everywhere:
        seen = [name for name, _ in _allowed(connection, [(it, Permission.SEE) for it in seen], threads)]
    found = {name: {Permission.SEE} for name in seen}
    asked = [it for it in (Permission.EDIT, Permission.CREATE, Permission.DELETE) if it not in everywhere]
    for name, permission in _allowed(connection, list(product(seen, asked)), threads):
        found[name].add(permission)
    if Permission.TEST not in everywhere:
        edited = [(it, Permission.TEST) for it in seen if Permission.EDIT in found[it] | everywhere]
        for name, permission in _allowed(connection, edited, threads):
            found[name].add(permission)
    mine = {name: frozenset(permissions) for name, permissions in found.items()}
    return Held(everywhere, {name: it for name, it in mine.items() if not it <= everywhere})


def _allowed(
    connection: "Connection", questions: list[tuple[str, Permission]], threads: Executor
) -> Iterator[tuple[str, Permission]]:
    words = threads.map(lambda it: may(connection, it[1], it[0]), questions)
    return (question for question, word in zip(questions, words, strict=True) if word)
