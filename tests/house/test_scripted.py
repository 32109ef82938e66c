"""The scripted server of the tests: what a killed client had sent of a request is no request."""

import socket

import pytest

from tests.peers.scripted import Reply, scripted

REHEARSAL = b'DELETE /x HTTP/1.1\r\nContent-Length: 18\r\n\r\n{"dryRun":["All"]}'


@pytest.mark.parametrize("sent", [12, 24, 38, 40, 42, 58])
def test_a_part_of_a_request_is_no_request(sent: int) -> None:
    """Such as the head of a rehearsed deletion, which would be a real one."""
    with scripted(lambda request: Reply()) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(REHEARSAL[:sent])
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b""
        assert server.requests == []
