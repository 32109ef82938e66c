"""Calls to the API server with a person's own credential, and the user name of that person.

The console's own credential must not be part of such a call: between a client certificate and a token, the API server
takes the certificate. The settings of these connections are therefore copied one by one, without any credential.
"""

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext, SSLError
from typing import Protocol

from kubernetes.client import Configuration
from urllib3.util.ssl_ import create_urllib3_context

from registries.cluster.connection import JSON, Connection, Json, Timeouts
from registries.cluster.credential import Home, LoginCredential, address_of, authorities_in
from registries.cluster.per_process import PerProcess
from registries.cluster.reviews import ask, may
from registries.domain.errors import Forbidden, NotFound, Problem, Unavailable

SELF_REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
TOKEN_REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"  # noqa: S105
ANONYMOUS = "system:anonymous"
CONNECTIONS_KEPT = 64
"""Connections kept open for people with a client certificate, who each need separate sockets."""
_COPIED = (
    "host",
    "verify_ssl",
    "ssl_ca_cert",
    "ca_cert_data",
    "assert_hostname",
    "tls_server_name",
    "proxy",
    "proxy_headers",
    "no_proxy",
    "retries",
    "connection_pool_maxsize",
    "keep_alive",
    "socket_options",
)
_ROLES = {"GET": "image-operator", "PATCH": "image-operator", "POST": "image-admin", "DELETE": "image-admin"}


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of the cluster. A later user of the same name has another uid. Not every kind of user has one."""

    name: str
    uid: str = ""


NOBODY = Identity("")


class Caller(Protocol):
    """Makes calls as the console (a Connection) or as a Person."""

    def call(
        self,
        method: str,
        path: str,
        *,
        subject: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        kind: str = JSON,
        read: float | None = None,
    ) -> Json: ...


class ApiServer:
    """The API server for calls with other credentials than the console's; thread-safe.

    `given` and `console` are the console's own configuration and connection. `names` are further addresses of the
    server.
    """

    def __init__(
        self,
        given: Configuration,
        console: Connection,
        names: tuple[str, ...] = (),
        timeouts: Timeouts | None = None,
    ) -> None:
        self._given = given
        self._console = console
        self._names = names
        self._timeouts = timeouts
        self._nobody = Connection(bare(given), timeouts)
        self._kept: OrderedDict[str, Connection] = OrderedDict()
        self._lock = PerProcess(threading.Lock)

    @property
    def home(self) -> Home:
        """The addresses of this API server and its CAs, from the console's kubeconfig and from the operator."""
        pem = b""
        if self._given.ssl_ca_cert:
            pem = Path(self._given.ssl_ca_cert).read_bytes()
        addresses = frozenset(address_of(name) for name in (self._given.host, *self._names))
        return Home(addresses, authorities_in(pem))

    def connection(self, credential: LoginCredential) -> Connection:
        """The connection for a credential. Tokens share sockets, since each request carries its own."""
        if credential.token:
            return self._nobody.bearing(credential.token)
        with self._lock.here():
            known = self._kept.pop(credential.fingerprint, None)
            if known is None:
                known = Connection(bare(self._given), self._timeouts, context=_context(credential))
            self._kept[credential.fingerprint] = known
            while len(self._kept) > CONNECTIONS_KEPT:
                self._kept.popitem(last=False)
            return known

    def forget(self, credential: LoginCredential) -> None:
        with self._lock.here():
            self._kept.pop(credential.fingerprint, None)

    def identify(self, credential: LoginCredential) -> Identity:
        """The user of a credential on the API server; NOBODY when the server does not accept it. Unavailable.

        Kubernetes 1.28 and newer answer a SelfSubjectReview. For older servers, the console makes a TokenReview of a
        token. For a certificate they have no review: when the server accepts it, the user is its common name, as
        documented.
        """
        try:
            return _user(
                ask(self.connection(credential), SELF_REVIEW, _body("SelfSubjectReview")), "userInfo"
            )
        except NotFound:
            pass
        except Unavailable as error:
            if error.problem == Problem.CLUSTER_TOKEN:
                return NOBODY
            if error.problem not in (Problem.CLUSTER_FORBIDDEN, Problem.CRD_MISSING):
                raise
        return self._of_token(credential.token) if credential.token else self._of_certificate(credential)

    def _of_token(self, token: str) -> Identity:
        body = {**_body("TokenReview"), "spec": {"token": token}}
        try:
            status = ask(self._console, TOKEN_REVIEW, body)
        except Unavailable as error:
            if error.problem == Problem.CLUSTER_FORBIDDEN:
                raise Unavailable("", Problem.TOKENREVIEWS_FORBIDDEN) from None
            raise
        return _user(status, "user") if status.get("authenticated") is True else NOBODY

    def _of_certificate(self, credential: LoginCredential) -> Identity:
        """The common name, if the server accepts the certificate and refuses a caller without one.

        A server that ignores certificates answers both.
        """
        answered = _answers(self.connection(credential)) and not _answers(self._nobody)
        return Identity(credential.common_name) if answered else NOBODY


@dataclass(frozen=True, slots=True)
class Person:
    """Makes calls with a person's own credential; the `acting` of an Access.

    `session` is the id of the session, 0 for a client that sends a token with each request. `credential` returns the
    credential for each call and raises when the session has ended, so that background work ends with it. `refused` is
    called with True when the API server does not accept the credential, and with False when it forbids a call.
    """

    api_server: ApiServer
    session: int
    credential: Callable[[], LoginCredential]
    refused: Callable[[bool], None]

    def connection(self) -> Connection:
        """A connection with the current credential, for short use in any thread. Its refusals are not reported.
        Unavailable `session_ended`."""
        return self.api_server.connection(self.credential())

    def call(
        self,
        method: str,
        path: str,
        *,
        subject: str,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        kind: str = JSON,
        read: float | None = None,
    ) -> Json:
        """Connection.call as this person. Forbidden with the required role; Unavailable `session_ended`."""
        connection = self.connection()
        try:
            return connection.call(
                method, path, subject=subject, body=body, query=query, kind=kind, read=read
            )
        except Unavailable as error:
            if error.problem == Problem.CLUSTER_TOKEN:
                self.refused(True)
                raise Unavailable(subject, Problem.SESSION_ENDED) from None
            if error.problem == Problem.CLUSTER_FORBIDDEN:
                self.refused(False)
                raise Forbidden(subject, _ROLES[method]) from None
            raise


def bare(given: Configuration) -> Configuration:
    """The configuration of the same server with the same trust settings, without a credential."""
    found = Configuration()
    for name in _COPIED:
        setattr(found, name, getattr(given, name))
    return found


def _context(credential: LoginCredential) -> SSLContext:
    """A TLS context with the certificate and its key. OpenSSL reads them from a file only: in memory where possible."""
    pem = f"{credential.certificate}\n{credential.key}\n".encode()
    context = create_urllib3_context()
    try:
        if hasattr(os, "memfd_create"):
            with os.fdopen(os.memfd_create("client", os.MFD_CLOEXEC), "wb") as file:
                file.write(pem)
                file.flush()
                context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
        else:
            with tempfile.NamedTemporaryFile() as file:  # readable for this user only, and deleted at once
                file.write(pem)
                file.flush()
                context.load_cert_chain(file.name)
    except SSLError:  # weaker than the policy of OpenSSL on this machine
        raise Unavailable("", Problem.CERTIFICATE_UNUSABLE) from None
    return context


def _answers(connection: Connection) -> bool:
    """Whether the server answers an access review: it does for every caller that it knows."""
    try:
        may(connection, "list", "")
    except Unavailable as error:
        if error.problem in (Problem.CLUSTER_TOKEN, Problem.CLUSTER_FORBIDDEN):
            return False
        raise
    return True


def _body(kind: str) -> Json:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": kind}


def _user(status: Json, field: str) -> Identity:
    user = status.get(field) or {}
    name = str(user.get("username") or "")
    return NOBODY if name == ANONYMOUS else Identity(name, str(user.get("uid") or ""))
