"""A server that floods a TLS connection with what is no data holds a test no longer than any other server."""

import threading
import time
from dataclasses import replace

from registries.probe import Policy, Reason, Result, probe
from tests.peers.certificates import Authority
from tests.peers.ticket_flood import ticket_flood

pytest_plugins = ("tests.peers.authorities",)


def test_session_tickets_without_end_end_a_test(authority: Authority, trusting: Policy) -> None:
    """In a thread of its own: Python's own TLS socket does not come back."""
    results: list[Result] = []
    spent: list[float] = []

    def run(port: int) -> None:
        began = time.thread_time()
        policy = replace(trusting, read_timeout=60.0, total_timeout=120.0)
        results.append(probe(f"localhost:{port}", "user", "password", policy))
        spent.append(time.thread_time() - began)

    with ticket_flood(authority.issue("localhost")) as port:
        thread = threading.Thread(target=run, args=(port,), daemon=True)
        thread.start()
        thread.join(180)

    assert [it.reason for it in results] == [Reason.UNEXPECTED_RESPONSE]
    assert spent[0] < 3.0, "the bytes are counted, too: it need not wait for the timeout"
