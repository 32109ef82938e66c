"""The sockets of one process to one API server."""

from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import urllib3
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from urllib3.connection import HTTPSConnection

Response = urllib3.BaseHTTPResponse


class _Dialled(HTTPSConnection):
    """A connection whose TLS handshake can break off, like one that is refused: nothing was sent on it."""

    def connect(self) -> None:
        try:
            super().connect()
        except ConnectionError as error:
            raise urllib3.exceptions.NewConnectionError(self, str(error)) from error


class _Pool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Dialled


class Sockets:
    """The sockets of one process."""

    def __init__(self, given: Configuration, context: SSLContext | None) -> None:
        self._manager = RESTClientObject(given).pool_manager
        self._manager.pool_classes_by_scheme = {**self._manager.pool_classes_by_scheme, "https": _Pool}
        if context is not None:
            self._manager.connection_pool_kw["ssl_context"] = context
        self._host = given.host
        self._pool = self._manager.connection_from_url(given.host)
        self._prefix = urlsplit(given.host).path

    def send(
        self, method: str, target: str, body: str | None, headers: dict[str, str], timeout: urllib3.Timeout
    ) -> Response:
        """Sends a request, and returns the answer as soon as its headers have come."""
        given: dict[str, Any] = {
            "body": body,
            "headers": headers,
            "timeout": timeout,
            "preload_content": False,
        }
        if self._pool.scheme == "https":  # without the search for the pool, and through a tunnel of a proxy
            return self._pool.urlopen(method, self._prefix + target, **given)
        return self._manager.urlopen(method, self._host + target, **given)

    def close(self) -> None:
        self._manager.clear()
