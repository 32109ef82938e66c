"""Commands for a shell that need a password or a token.

Everybody on a machine can list the arguments of its processes, and a shell keeps what was typed. So the shell reads the
secret itself, shows it nowhere, and hands it on with its own `printf`, which starts no process.
"""

import json
import shlex
from collections.abc import Sequence

ENCODED = "base64 | tr -d '\\n'"
"""GNU's base64 breaks lines, that of BSD has no option for it."""
BEARER = """-H @<(printf 'Authorization: Bearer %s' "$TOKEN")"""
"""The option of curl for the access token in $TOKEN."""
ASK_TOKEN = "IFS= read -rs TOKEN"  # noqa: S105  no token


def with_password(written: str, command: str) -> str:
    """Asks for a password, which `written` has as $PASSWORD, and gives that text to `command` as its input."""
    return f"(IFS= read -rs PASSWORD; {written}) | {command}"


def dockerconfig(hosts: Sequence[str], username: str) -> str:
    """Writes the content of a pull secret for these keys, as `written`."""
    form = json.dumps({"auths": {host: {"auth": "%s"} for host in hosts}})
    pair = f'"$(printf %s:%s {shlex.quote(username)} "$PASSWORD" | {ENCODED})"'
    values = ' "$AUTH"' * len(hosts)
    return f"AUTH={pair}; printf {shlex.quote(form)}{values}"


def new_password() -> str:
    """Writes the merge patch of a RegistrySecret, as `written`."""
    form = json.dumps({"spec": {"password": "%s"}})
    return f'printf {shlex.quote(form)} "$(printf %s "$PASSWORD" | {ENCODED})"'
