"""The pull secret of a registry as a command for kubectl, where the console's own store keeps none."""

import shlex

from django.utils.translation import gettext as _

from registries.domain.registry import RegistrySecret
from registries.pull_secrets.images import auths_keys
from registries.wiring import services


def export_command(registry: RegistrySecret) -> str:
    """Writes the pull secret to a cluster, or changes it in place. It asks for the password, and has none in it.

    "" where the console maintains pull secrets itself, and for an address that is not valid.
    """
    if services().on_cluster or registry.address_problem:
        return ""
    words = (
        *("kubectl", "create", "secret", "docker-registry", registry.name, "-n", registry.namespace),
        f"--docker-server={auths_keys(registry.address)[0]}",
        f"--docker-username={registry.username}",
    )
    return (
        f'read -rs PASSWORD; {shlex.join(words)} --docker-password="$PASSWORD" --dry-run=client -o yaml'
        " | kubectl apply --server-side -f -"
    )


def before_revoking() -> str:
    """What to do before the old password is revoked, in a sentence; "" where the console does it."""
    if services().on_cluster:
        return ""
    return _("Where a cluster has its pull secret, apply that again before you revoke the old password.")
