"""Where the API server is, and the console's credential for it: a kubeconfig, or the service account of the pod. A
proxy is named by `proxy-url` of the kubeconfig or by the environment (HTTPS_PROXY)."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kubernetes.client import Configuration
from kubernetes.config import (
    ConfigException,
    list_kube_config_contexts,
    load_incluster_config,
    load_kube_config,
)
from urllib3.util import parse_url

from registries.domain.errors import Problem, Unavailable
from registries.probe.proxy import proxy_login

CONNECTIONS = 16
"""Sockets kept open: eight for the workers of a run, eight for pages."""
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
REFRESHED = 1.0
"""Seconds between two looks at whether the console's own token has expired."""


def configuration(kubeconfig: str | Path | None) -> Configuration:
    """The configuration from a kubeconfig file; for None, from the service account of this pod.

    Unavailable `cluster_unconfigured` when it cannot be read.
    """
    found = Configuration()
    try:
        if kubeconfig is None:
            load_incluster_config(client_configuration=found)
        else:
            load_kube_config(str(kubeconfig), client_configuration=found, persist_config=False)
        _prepare_proxy(found)
    except (ConfigException, OSError, ValueError, KeyError, TypeError):
        raise Unavailable(str(kubeconfig or "service account"), Problem.CLUSTER_UNCONFIGURED) from None
    found.retries = False  # a retry in urllib3 would multiply the timeout; `call` retries
    found.connection_pool_maxsize = CONNECTIONS
    found.keep_alive = True
    refresh: Any = found.refresh_api_key_hook
    seldom: Any = _seldom(refresh) if refresh else None
    found.refresh_api_key_hook = seldom
    return found


def _prepare_proxy(found: Configuration) -> None:
    """Adds the login of the proxy, which the package leaves out. ValueError for what is no http:// or https:// proxy:
    the package would fail at the first call, with an error that may quote the URL and its password."""
    proxy: object = found.proxy
    if not proxy:
        return
    if not isinstance(proxy, str) or parse_url(proxy).scheme not in ("http", "https"):
        raise ValueError
    if not urlsplit(proxy).hostname:
        raise ValueError
    found.proxy_headers = proxy_login(proxy) or None


def _seldom(refresh: Callable[[Configuration], object]) -> Callable[[Configuration], None]:
    """The hook that reads a new token, where the old one has expired. The client calls it with every request, and it
    takes as long as a tenth of that."""
    next_at = -math.inf

    def hook(given: Configuration) -> None:
        nonlocal next_at
        now = time.monotonic()
        if now >= next_at:
            next_at = now + REFRESHED
            refresh(given)
            given.refresh_api_key_hook = hook  # type: ignore[assignment]  # the client has put its own back

    return hook


def own_namespace(kubeconfig: str | Path | None) -> str:
    """The namespace of the context of a kubeconfig; for None, of this pod. Otherwise `default`, as in kubectl."""
    try:
        if kubeconfig is None:
            found = POD_NAMESPACE.read_text().strip()
        else:
            found = list_kube_config_contexts(str(kubeconfig))[1]["context"].get("namespace")
    except (ConfigException, OSError, ValueError, KeyError, TypeError):
        found = ""
    return found or "default"
