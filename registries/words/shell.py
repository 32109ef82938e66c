"""Commands for a shell that need a password or a token.

Everybody on a machine can list the arguments of its processes, and a shell keeps what was typed. So the shell reads the
secret itself, shows it nowhere, and hands it on with its own `printf`, which starts no process. It writes what it waits
for to standard error: somebody who pastes a command would take a silent one for stuck.
"""

import json
import shlex
from collections.abc import Sequence

ENCODED = "base64 | tr -d '\\n'"
"""GNU's base64 breaks lines, that of BSD has no option for it."""
BEARER = """-H @<(printf 'Authorization: Bearer %s' "$TOKEN")"""
"""The option of curl for the access token in $TOKEN."""
ASK_TOKEN = "printf 'Token: ' >&2; IFS= read -rs TOKEN; echo >&2"  # noqa: S105  no token
_ASK_PASSWORD = "printf 'Password: ' >&2; IFS= read -rs PASSWORD; echo >&2"  # noqa: S105  no password


def with_password(written: str, command: str) -> str:
    """Asks for a password, which `written` has as $PASSWORD, and gives that text to `command` as its input."""
    return f"({_ASK_PASSWORD}; {written}) | {command}"


def dockerconfig(hosts: Sequence[str], username: str) -> str:
    """Writes the content of a pull secret for these keys, as `written`."""
    form = json.dumps({"auths": {host: {"auth": "%s"} for host in hosts}})
    pair = f'"$(printf %s:%s {shlex.quote(username)} "$PASSWORD" | {ENCODED})"'
    values = ' "$AUTH"' * len(hosts)
    return f"AUTH={pair}; printf {shlex.quote(form)}{values}"


def new_password() -> str:
    """Writes the merge patch of a RegistrySecret, as `written`."""
    return _filled(json.dumps({"spec": {"password": "%s"}}))


def new_registry(manifest: str, placeholder: str) -> str:
    """Writes a manifest of a RegistrySecret with the password in the last place of a placeholder, as `written`."""
    before, _, after = manifest.replace("\\", "\\\\").replace("%", "%%").rpartition(placeholder)
    return _filled(f'{before}"%s"{after}')


def _filled(form: str) -> str:
    """Writes a text with the encoded password in place of %s."""
    return f'printf {shlex.quote(form)} "$(printf %s "$PASSWORD" | {ENCODED})"'
