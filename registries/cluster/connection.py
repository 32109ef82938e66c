"""Calls to an API server, each with a timeout. Every failure is an error of domain/errors.py.

Only the sockets of the `kubernetes` package are used, and its credentials. Its methods take as long for a call as the
call itself, print the body of an answer in their exceptions, and parse a list of 13 MiB too slowly.
"""

import gc
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, TypeVar
from urllib.parse import urlencode

import urllib3
from kubernetes.client import Configuration

from registries.cluster.failures import Expired, refusal, silence
from registries.cluster.json_list import read_list
from registries.cluster.per_process import PerProcess
from registries.cluster.sockets import Response, Sockets
from registries.domain.errors import ConsoleError, Problem, TooManyRequests, Unavailable
from registries.domain.writer import CONSOLE

T = TypeVar("T")
Json = dict[str, Any]
JSON = "application/json"
METADATA = f"{JSON};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
TABLE = f"{JSON};as=Table;g=meta.k8s.io;v=v1"
METADATA_LIST = f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
PIECE = 64 * 1024
"""Bytes of a list that are read at a time."""
ATTEMPTS = 4
PATIENCE = 2
"""A call is retried when Retry-After is at most this many seconds."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds. `listing` is for a list of everything, `quiet` for a watch without an event."""

    connect: float = 3.0
    read: float = 10.0
    listing: float = 60.0
    quiet: float = 90.0


@dataclass(frozen=True, slots=True)
class _Call:
    """One request. `subject` is the subject of its errors, `read` its timeout in seconds, for connecting as well."""

    method: str
    path: str
    subject: str
    read: float
    body: Json | list[Json] | None = field(default=None, repr=False)
    query: Mapping[str, str] | None = None
    kind: str = JSON
    accept: str = JSON


class Connection:
    """A connection to one API server; thread-safe, with separate sockets in each process.

    `context` contains a client certificate that is not in a file.
    """

    def __init__(
        self,
        given: Configuration,
        timeouts: Timeouts | None = None,
        *,
        context: SSLContext | None = None,
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self._given = given
        self._sockets = PerProcess(lambda: Sockets(given, context))
        self._authorization = ""
        self._accept = self._accept_list = JSON

    def bearing(self, token: str) -> "Connection":
        """A connection over the same sockets with another bearer token."""
        theirs = copy(self)
        theirs._authorization = f"Bearer {token}"
        return theirs

    def of_metadata(self) -> "Connection":
        """A connection over the same sockets that lists and watches objects without their content."""
        lean = copy(self)
        lean._accept, lean._accept_list = METADATA, METADATA_LIST
        return lean

    def call(
        self,
        method: str,
        path: str,
        *,
        subject: str,
        body: Json | list[Json] | None = None,
        query: Mapping[str, str] | None = None,
        kind: str = JSON,
        read: float | None = None,
    ) -> Json:
        """Makes one call and returns its JSON. `subject` is the subject of errors; `read` is a timeout in seconds.

        Retries after 429 for every method, since a server that is too busy has done nothing.
        """
        return _patiently(
            lambda: self._once(_Call(method, path, subject, read or self.timeouts.read, body, query, kind))
        )

    def cells(self, path: str, *, subject: str, read: float) -> dict[str, str]:
        """The columns of one object as kubectl prints them, by name. A Secret has its type there, and no content."""
        query = {"includeObject": "None"}
        answer = _patiently(lambda: self._once(_Call("GET", path, subject, read, query=query, accept=TABLE)))
        names = [str(it.get("name")) for it in answer.get("columnDefinitions") or ()]
        rows = [it.get("cells") or () for it in answer.get("rows") or ()]
        return {name: str(cell) for row in rows[:1] for name, cell in zip(names, row, strict=False)}

    def list_all(
        self,
        path: str,
        *,
        subject: str,
        query: Mapping[str, str],
        take: Callable[[Json], T],
        read: float | None = None,
    ) -> tuple[list[T], Json]:
        """Lists a collection and reads the answer item by item: the results of `take`, and the rest of the list.

        Raises the errors of `call`; the results so far are then useless. `read` is a timeout in seconds.
        """
        return _patiently(lambda: self._listed(path, subject, query, take, read or self.timeouts.listing))

    def watch(
        self, path: str, *, subject: str, query: Mapping[str, str], stop: threading.Event
    ) -> Iterator[Json]:
        """The events of a watch, until the server ends it or `stop` is set.

        Expired for a resourceVersion that is too old; otherwise the errors of `call`.
        """
        call = _Call("GET", path, subject, self.timeouts.quiet, query=query, accept=self._accept)
        response = self._send(call)
        if response.status != 200:
            raise self._refused(response, subject)
        try:
            for line in _lines(response):
                if stop.is_set():
                    return
                event = _parse(line, subject)
                if event.get("type") == "ERROR":
                    status = event.get("object") or {}
                    raise refusal(int(status.get("code") or 500), json.dumps(status).encode(), {}, subject)
                yield event
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise silence(error, subject, writing=False) from None
        finally:
            response.close()

    def close(self) -> None:
        self._sockets.here().close()

    def _once(self, call: _Call) -> Json:
        response = self._send(call)
        try:
            raw = response.data
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise silence(error, call.subject, writing=call.method != "GET") from None
        finally:
            response.release_conn()
        if not 200 <= response.status <= 299:
            raise refusal(response.status, raw, response.headers, call.subject)
        return _parse(raw, call.subject)

    def _listed(
        self, path: str, subject: str, query: Mapping[str, str], take: Callable[[Json], T], read: float
    ) -> tuple[list[T], Json]:
        response = self._send(_Call("GET", path, subject, read, query=query, accept=self._accept_list))
        if response.status != 200:
            raise self._refused(response, subject)
        try:
            return read_list(response.stream(PIECE, decode_content=True), take)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise silence(error, subject, writing=False) from None
        except ValueError:
            raise Unavailable(
                subject, Problem.CLUSTER_FAILED
            ) from None  # a proxy's page, or an answer cut short
        finally:
            response.close()  # one that was read to its end has given its connection back

    def _send(self, call: _Call) -> Response:
        headers = {"Accept": call.accept, "Accept-Encoding": "gzip", "User-Agent": CONSOLE}
        if call.body is not None:
            headers["Content-Type"] = call.kind
        # Also reads a new token of the console's own, where the old one has expired.
        own = (
            "" if self._authorization else self._given.get_api_key_with_prefix("BearerToken", "authorization")
        )
        if authorization := self._authorization or own:
            headers["Authorization"] = authorization
        body = None if call.body is None else json.dumps(call.body)
        target = f"{call.path}?{urlencode(call.query)}" if call.query else call.path
        timeout = urllib3.Timeout(connect=min(self.timeouts.connect, call.read), read=call.read)
        try:
            return self._sockets.here().send(call.method, target, body, headers, timeout)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise silence(error, call.subject, writing=call.method != "GET") from None

    @staticmethod
    def _refused(response: Response, subject: str) -> ConsoleError | Expired:
        try:
            return refusal(response.status, response.data, response.headers, subject)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return silence(error, subject, writing=False)
        finally:
            response.release_conn()


def _patiently(ask: Callable[[], T]) -> T:
    """Retries after 429, after the pause that the server asks for."""
    for attempt in range(ATTEMPTS):
        try:
            return ask()
        except TooManyRequests as error:
            if attempt + 1 == ATTEMPTS or error.retry_after > PATIENCE:
                raise
            time.sleep(error.retry_after * random.uniform(0.3, 1.0))
    raise AssertionError("unreachable")


def _lines(response: Response) -> Iterator[bytes]:
    """Whole lines as they come, also from a proxy that sends without chunks: `stream` would wait for its end."""
    rest = b""
    as_it_comes = iter(lambda: response.read1(PIECE, decode_content=True), b"")
    for piece in response.stream(amt=None, decode_content=True) if response.chunked else as_it_comes:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line for line in whole if line.strip())


def _parse(raw: bytes, subject: str) -> Json:
    """The JSON object of an answer. The garbage collector is off meanwhile: a large list takes four times as long
    with it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        parsed = json.loads(raw) if raw else {}
    except ValueError:
        raise Unavailable(
            subject, Problem.CLUSTER_FAILED
        ) from None  # a page of a proxy, or an incomplete answer
    finally:
        if collecting:
            gc.enable()
    return parsed if isinstance(parsed, dict) else {}
