"""A client of the demo's registries that works like docker, and their process, started alone."""

import base64
import http.client
import json
import socket
import ssl
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlencode, urlsplit

from registries.demo.behaviours import BEHAVIOURS, OFFSETS
from registries.demo.catalogue import catalogue
from registries.demo.process import ROOT
from tests.peers.ports import demo_base

BY_NAME = {behaviour.name: behaviour for behaviour in BEHAVIOURS}
PLAIN = {host for host, service in catalogue(OFFSETS).items() if service.certificate is None}
PATIENCE = 30
"""Seconds. Normally it takes none; a slow machine may need them."""


class Client:
    """One connection to a host of the demo, by IP address, with the host's name in SNI and Host."""

    def __init__(self, demo, host, *, verify=True, timeout=PATIENCE):
        self.host = f"{host}:{demo.ports[host]}"
        self.connection = http.client.HTTPConnection(host, demo.ports[host], timeout=timeout)
        self.connection.sock = socket.create_connection(("127.0.0.1", demo.ports[host]), timeout=timeout)
        if host not in PLAIN:
            context = ssl.create_default_context(cafile=demo.ca_file)
            context.verify_flags |= ssl.VERIFY_X509_STRICT
            if not verify:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.connection.sock = context.wrap_socket(self.connection.sock, server_hostname=host)

    def ask(self, path="/v2/", authorization=None, *, method="GET", body=None, **headers):
        headers = {
            "Host": self.host,
            **headers,
            **({"Authorization": authorization} if authorization else {}),
        }
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        answer.body = answer.read()
        return answer


def ask(demo, host, path="/v2/", authorization=None, **options):
    client = Client(demo, host)
    with closing(client.connection):
        return client.ask(path, authorization, **options)


def basic(username, password):
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def realm(answer):
    parts = dict(part.split("=", 1) for part in answer.headers["WWW-Authenticate"][7:].split(","))
    return urlsplit(parts["realm"].strip('"')), parts["service"].strip('"')


def token_answer(demo, host, credentials=None, **fields):
    """The response of a registry's token service to a request as docker and skopeo send it."""
    url, service = realm(ask(demo, host))
    path = f"{url.path}?{urlencode({'service': service, **fields})}"
    return ask(demo, url.hostname, path, basic(*credentials) if credentials else None)


def login(demo, host, credentials):
    """The last status of a login."""
    ping = ask(demo, host)
    if ping.status == 401 and ping.headers["WWW-Authenticate"].startswith("Bearer"):
        answer = token_answer(demo, host, credentials)
        if answer.status != 200:
            return answer.status
        return ask(demo, host, "/v2/", f"Bearer {json.loads(answer.body)['token']}").status
    return ask(demo, host, "/v2/", basic(*credentials)).status


def accepts(port):
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def child(tmp_path, **options):
    """The process of the registries without its parent, and its first line."""
    command = [
        sys.executable,
        "-m",
        "registries.demo",
        "--state",
        str(tmp_path),
        "--base-port",
        str(demo_base()),
    ]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, **options)
    return started, json.loads(started.stdout.readline())
