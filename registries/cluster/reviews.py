"""What somebody may do, by the API server's own word: SelfSubjectAccessReviews made as that person.

Not SelfSubjectRulesReviews, though one would tell four verbs: with a webhook among the authorizers, as at most
cloud providers, their answer is incomplete, and a review's never is. Imports access and the connection.
"""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from registries.cluster.failures import TIMEOUT
from registries.domain.access import Permission
from registries.domain.errors import UNCERTAIN, Unavailable

if TYPE_CHECKING:
    from registries.cluster.connection import Connection

REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
PATIENCE = 5.0
"""Seconds for one answer: a page waits for it."""
GROUP, RESOURCE = "image.theriseunion.io", "registrysecrets"


@dataclass(frozen=True, slots=True)
class Held:
    """Permissions in all namespaces, and those in single ones, by name; namespaces without any are left out."""

    everywhere: frozenset[Permission]
    namespaces: Mapping[str, frozenset[Permission]]


def ask(connection: "Connection", path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The status of a review. It is sent as a write is, but writes nothing: an answer that did not come leaves no
    doubt behind. The errors of Connection.call."""
    try:
        status = connection.call("POST", path, subject="", body=body, read=PATIENCE).get("status")
    except Unavailable as error:
        problem = TIMEOUT if error.problem == UNCERTAIN else error.problem
        raise Unavailable("", problem, passing=error.passing) from None
    return status if isinstance(status, dict) else {}


def may(connection: "Connection", verb: str, namespace: str, part: str = "") -> bool:
    """One question about registries in a namespace, or in all of them for ""; or about a subresource. Unavailable."""
    attributes = {"group": GROUP, "resource": RESOURCE, "verb": verb}
    if namespace:
        attributes["namespace"] = namespace
    if part:
        attributes["subresource"] = part
    return _allows(connection, {"resourceAttributes": attributes})


def may_get(connection: "Connection", path: str) -> bool:
    """The same about an address that is no resource."""
    return _allows(connection, {"nonResourceAttributes": {"path": path, "verb": "get"}})


def _allows(connection: "Connection", spec: dict[str, Any]) -> bool:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    status = ask(connection, REVIEW, body)
    return status.get("allowed") is True and status.get("denied") is not True


def held_by(connection: "Connection", namespaces: Collection[str], threads: Executor) -> Held:
    """Everything that the person of this connection holds. Unavailable: `cluster_token` when the server does not take
    the credential, `cluster_forbidden` when it answers no such questions to them.

    First for all namespaces; then, for what is not held there, who sees in each, and the rest where somebody sees:
    five questions for those with a role everywhere, and one per namespace that does not exist for somebody. Whether
    a test could read the password is asked last, where its verdict could be written.
    """
    words = list(threads.map(lambda permission: may(connection, permission, ""), Permission))
    everywhere = frozenset(it for it, word in zip(Permission, words, strict=True) if word)
    if everywhere == frozenset(Permission):
        return Held(everywhere, {})
    if Permission.EDIT not in everywhere:
        everywhere -= {Permission.TEST}  # viewers may `get`, too, and could not write the verdict
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
