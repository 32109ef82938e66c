"""The real docker-registry (distribution 2.8) with htpasswd or a token service, and that token service, which signs
with ES256. Both run on loopback."""

import base64
import json
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import bcrypt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.peers.certificates import Authority, Pair
from tests.peers.parts import require_part
from tests.peers.scripted import Reply, Request, basic, json_reply, wait_for

SERVICE, ISSUER = "test-registry", "test-issuer"


@contextmanager
def docker_registry(
    folder: Path,
    *,
    users: dict[str, str] | None = None,
    token_realm: str | None = None,
    signer: Pair | None = None,
    tls: Pair | None = None,
    proxied: str = "",
) -> Iterator[str]:
    """A running registry; yields host:port. `users` are names and passwords for htpasswd. `token_realm` and
    `signer` are the URL and the certificate of a token service. Without them it is open to everybody. With `proxied`,
    the URL of another registry, it is a mirror of that."""
    program = require_part("docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "info"},  # the log contains the port
        "storage": {"inmemory": {}},
        "http": {"addr": "127.0.0.1:0", "secret": "of-this-test", **_tls(tls)},
        **_auth(folder, users, token_realm, signer),
        **({"proxy": {"remoteurl": proxied}} if proxied else {}),
    }
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "serve", str(folder / "config.yml")], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(lambda: _port(log) is not None or process.poll() is not None)
        port = _port(log)
        assert port, f"docker-registry did not start:\n{log.read_text(errors='replace')}"
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait(60)


def _tls(pair: Pair | None) -> dict[str, object]:
    return {"tls": {"certificate": str(pair.chain_file), "key": str(pair.key_file)}} if pair else {}


def _auth(
    folder: Path, users: dict[str, str] | None, token_realm: str | None, signer: Pair | None
) -> dict[str, object]:
    if users:
        passwords = folder / "htpasswd"
        passwords.write_text("".join(f"{name}:{_hashed(word)}\n" for name, word in users.items()))
        return {"auth": {"htpasswd": {"realm": "Test", "path": str(passwords)}}}
    if token_realm and signer:
        bundle = str(signer.certificate_file)
        token = {"realm": token_realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": bundle}
        return {"auth": {"token": token}}
    return {}


def signing_pair(authority: Authority) -> Pair:
    """The certificate with which a token service signs."""
    return authority.issue("token.service", common_name="token service")


def token_service(
    users: dict[str, str],
    signer: Pair,
    *,
    anonymous: bool = False,
    clock: Callable[[], float] = time.time,
    posted: int | str = 405,
) -> Callable[[Request], Reply]:
    """A script for a ScriptedServer: GET with Basic, as in the distribution token specification. With `anonymous`
    it also gives tokens without credentials. `clock` may be wrong. `posted` is the status for a POST; or the fields of
    the answer with the token, separated by blanks."""

    def script(request: Request) -> Reply:
        if request.method == "POST":
            return _by_form(request)
        names = [name for name, password in users.items() if request.authorization == basic(name, password)]
        if not names and not (anonymous and request.authorization is None):
            return json_reply(
                {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}, 401
            )
        asked = parse_qs(urlsplit(request.target).query)
        subject = names[0] if names else ""
        access = _access(asked.get("scope", [])) if names else []
        return json_reply({"token": _signed(signer, subject, asked["service"][0], access, clock())})

    def _by_form(request: Request) -> Reply:
        form = parse_qs(request.body.decode())
        [name], [password] = form["username"], form["password"]
        if isinstance(posted, int) or users.get(name) != password:
            return Reply(posted if isinstance(posted, int) else 401)
        token = _signed(signer, name, form["service"][0], _access(form.get("scope", [])), clock())
        return json_reply(dict.fromkeys(posted.split(), token))

    return script


def _access(scopes: list[str]) -> list[dict[str, object]]:
    parts = [scope.split(":") for scope in scopes]
    return [{"type": part[0], "name": ":".join(part[1:-1]), "actions": part[-1].split(",")} for part in parts]


def _signed(signer: Pair, subject: str, audience: str, access: list[dict[str, object]], now: float) -> str:
    """A JWT in the form of distribution 2.8: ES256, with the certificate in x5c."""
    der = signer.certificate.public_bytes(serialization.Encoding.DER)
    header = {"typ": "JWT", "alg": "ES256", "x5c": [base64.b64encode(der).decode()]}
    claims = {
        "iss": ISSUER,
        "sub": subject,
        "aud": audience,
        "exp": int(now) + 300,
        "nbf": int(now) - 5,
        "iat": int(now),
        "jti": str(uuid.uuid4()),
        "access": access,
    }
    signed = f"{_base64(json.dumps(header).encode())}.{_base64(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(signer.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_base64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


def _port(log: Path) -> int | None:
    """The port that the system chose for it, so that no other program can take it first."""
    said = re.search(r"listening on 127\.0\.0\.1:(\d+)\D", log.read_text(errors="replace"))
    return int(said[1]) if said else None
