"""The page of channels, as tests use it."""

import base64
from typing import Any

from django.test import Client

URL = "https://oapi.dingtalk.com/robot/send?access_token=secret-token"
HX = {"hx_request": "true"}
KEY = "9f3c1d2e-7a5b-4c6d-8e9f-0123456789ab"
ENCODED = {
    "plain": KEY,
    "upper": KEY.upper(),
    "percent": "".join(f"%{it:02x}" for it in KEY.encode()),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "hex": KEY.encode().hex(),
    "spaced": " ".join(KEY),
}


def add(client: Client, namespace: str = "team-a", service: str = "dingtalk", **values: str) -> Any:
    typed = {
        "namespace": namespace,
        "name": "group",
        "language": "zh",
        "url": URL,
        "secret": "SECx",
        **values,
    }
    return client.post(f"/channels/-/add/{service}/", typed)
