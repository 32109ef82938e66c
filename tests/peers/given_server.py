"""The cluster of CONSOLE_TEST_KUBECONFIG, instead of an API server of the tests."""

import json
import os
from pathlib import Path

import pytest
import urllib3

from registries.cluster.configuration import configuration
from tests.peers.api_server import Answer, Json, json_of

GIVEN = os.environ.get("CONSOLE_TEST_KUBECONFIG", "")


class GivenServer:
    """The cluster of a given kubeconfig file. All tests use the user of that file, and never stop the server. Tests
    that need more have a server of their own."""

    def __init__(self, kubeconfig: str) -> None:
        self._kubeconfig = Path(kubeconfig).expanduser().absolute()

    def kubeconfig(self, user: str = "admin", *, token: str | None = None) -> Path:
        return self._kubeconfig

    def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        user: str = "admin",
        kind: str = "application/json",
    ) -> Answer:
        if user != "admin":
            pytest.skip("the given cluster knows one user only")
        found = configuration(self._kubeconfig)
        headers = {"Authorization": found.api_key.get("BearerToken", ""), "Content-Type": kind}
        pool = urllib3.PoolManager(
            ca_certs=found.ssl_ca_cert, cert_file=found.cert_file, key_file=found.key_file, retries=False
        )
        given = None if body is None else json.dumps(body).encode()
        answer = pool.request(method, found.host + path, body=given, headers=headers, timeout=60)
        return Answer(answer.status, json_of(answer.data))

    def create_namespace(self, name: str) -> None:
        self.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
