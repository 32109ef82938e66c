"""The content of a pull secret as kubelets read it: Go's encoding/json into DockerConfigJSON (credentialprovider,
config.go).

Names of fields count in any case, null changes nothing, and the later of two equal fields wins; two maps are merged.
Bytes that are not UTF-8 become U+FFFD.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from registries.domain.resource import decode_base64
from registries.pull_secrets.explain import KEY_MAX, Flaw
from registries.pull_secrets.matching import first_keys

Json = dict[str, Any]
CONFIG_TYPES = {
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/dockercfg": ".dockercfg",
}
"""The types of pull secrets, and their field in `data`. The second one is older, and has the `auths` alone."""
CONFIG_MAX = 1_048_576
KEYS_MAX = 1_000
_SURROGATE = re.compile("[\ud800-\udfff]")


class Unreadable(Exception):
    """A kubelet cannot read a Secret: its flaw, and the key of the entry with it."""

    def __init__(self, flaw: Flaw, key: str = "") -> None:
        super().__init__(flaw)
        self.flaw, self.key = flaw, key


class Auths(NamedTuple):
    """User name and password of each entry, up to KEYS_MAX entries whose keys fit into KEYS_TEXT. `cut` says that
    there are more. Kubelets read all."""

    pairs: dict[str, tuple[str, str]]
    cut: bool = False


class _Object(list[tuple[str, Any]]):
    """The fields of a JSON object in their order; a name may come twice."""


def read_auths(secret: Json) -> Auths:
    """The entries of `auths`. Empty for another type of Secret. Raises Unreadable."""
    name = CONFIG_TYPES.get(str(secret.get("type")))
    if name is None:
        return Auths({})
    encoded = str((secret.get("data") or {}).get(name) or "")
    if len(encoded) > CONFIG_MAX:
        raise Unreadable(Flaw.JSON)
    try:
        text = decode_base64(encoded).decode(errors="replace")
        config = json.loads(text, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        raise Unreadable(Flaw.JSON) from None
    if config is None:
        return Auths({})
    if not isinstance(config, _Object):
        raise Unreadable(Flaw.AUTHS)
    auths = _nested(config) if name == ".dockerconfigjson" else dict(_entries(config))
    pairs = dict(islice(first_keys(auths.items()), KEYS_MAX))
    return Auths(pairs, len(pairs) < len(auths))


def _nested(config: _Object) -> dict[str, tuple[str, str]]:
    for headers in _fields(config, "httpheaders"):
        if headers is not None and not (isinstance(headers, _Object) and all(map(_is_text, headers))):
            raise Unreadable(Flaw.HEADERS)
    auths: dict[str, tuple[str, str]] = {}
    for found in _fields(config, "auths"):
        if found is not None and not isinstance(found, _Object):
            raise Unreadable(Flaw.AUTHS)
        if found is None:
            auths.clear()
        else:
            auths.update(_entries(found))
    return auths


def _is_text(named: tuple[str, Any]) -> bool:
    return named[1] is None or isinstance(named[1], str)


def _fields(found: _Object, name: str) -> Iterator[Any]:
    """The values of a field in their order. Go compares names without case, and takes a long s for an s."""
    return (value for key, value in found if key.lower().replace("\u017f", "s") == name)


def _entries(auths: _Object) -> Iterator[tuple[str, tuple[str, str]]]:
    for key, entry in auths:
        try:
            yield _unicode(key), _pair_of(entry)
        except Unreadable as broken:
            raise Unreadable(broken.flaw, key[:KEY_MAX]) from None


def _pair_of(entry: object) -> tuple[str, str]:
    """User name and password of an entry: of `auth`, if it has one. An empty entry is a credential, too."""
    if entry is None:
        return "", ""
    if not isinstance(entry, _Object):
        raise Unreadable(Flaw.ENTRY)
    texts = {}
    for name in ("username", "password", "auth", "email"):
        values = list(_fields(entry, name))
        if any(it is not None and not isinstance(it, str) for it in values):
            raise Unreadable(Flaw.ENTRY)
        texts[name] = next((_unicode(it) for it in reversed(values) if it is not None), "")
    return _pair(texts["auth"]) if texts["auth"] else (texts["username"], texts["password"])


def _pair(auth: str) -> tuple[str, str]:
    """User name and password in the base64 of `auth`."""
    padded = auth.strip().endswith("=")  # else Go reads it as base64 without padding
    letters = auth.replace("\r", "").replace("\n", "")
    try:
        pair = decode_base64(letters if padded else letters + "=" * (-len(letters) % 4))
    except ValueError:
        raise Unreadable(Flaw.BASE64) from None
    if b":" not in pair:
        raise Unreadable(Flaw.COLON)
    name, _, password = pair.decode(errors="replace").partition(":")
    return name, password


def _unicode(text: str) -> str:
    """A text without half of a character, such as the escape \\ud800 alone."""
    return _SURROGATE.sub("\ufffd", text)
