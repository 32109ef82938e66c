"""A scripted registry with Basic authentication and one user, and a probe of one behind TLS."""

from registries.probe import Policy, Result, probe
from tests.peers.certificates import Authority, Pair
from tests.peers.scripted import Reply, Request, ScriptedServer, basic, registry_ok, scripted, unauthorized

USER, PASSWORD = "admin", "correct horse"


def registry(request: Request) -> Reply:
    return registry_ok() if request.authorization == basic(USER, PASSWORD) else unauthorized("Basic")


def run_probe(
    authority: Authority, pair: Pair, policy: Policy, **options: bool
) -> tuple[Result, ScriptedServer]:
    """Probes a registry with these certificates. `options` are those of server_context."""
    with scripted(registry, tls=authority.server_context(pair, **options)) as server:
        return probe(server.address, USER, PASSWORD, policy), server
