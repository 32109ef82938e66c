"""Resolves names to IP addresses within a time limit."""

import _thread
import queue
import socket
from collections.abc import Sequence

from registries.addresses import is_ip

from .fault import Fault
from .policy import Resolver
from .reason import Reason

_LOOPBACK = ("127.0.0.1", "::1")


def look_up(host: str, port: int, resolver: Resolver | None, seconds: float) -> tuple[str, ...]:
    """The IP addresses of `host`, each once, in the order given by the resolver.

    An IP address resolves to itself. `localhost` and names that end in `.localhost` are loopback, without a DNS
    request (RFC 6761, section 6.3). Fault(DNS_FAILED) if there is no address, or none in time. getaddrinfo cannot
    be interrupted, so after the time limit its thread is left running.
    """
    if is_ip(host):
        return (host,)
    if host == "localhost" or host.endswith(".localhost"):
        return _LOOPBACK
    answers: queue.SimpleQueue[Sequence[str] | BaseException] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put((resolver or _system)(host, port))
        except BaseException as error:  # noqa: BLE001 - raised in the waiting thread
            answers.put(error)

    # threading.Thread would make this thread wait until the other one has started.
    _thread.start_new_thread(ask, ())
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise Fault(Reason.DNS_FAILED, cause="dns_timeout") from None
    if isinstance(answer, OSError | UnicodeError):
        raise Fault(Reason.DNS_FAILED)
    if isinstance(answer, BaseException):
        raise answer
    if not answer:
        raise Fault(Reason.DNS_FAILED)
    return tuple(dict.fromkeys(answer))


def _system(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
