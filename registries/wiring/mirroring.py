"""The parts for mirrors: the list, the probe without credentials, and the CAs that the console knows."""

from collections.abc import Mapping
from dataclasses import replace

from django.utils import timezone

from registries.domain.access import Access
from registries.domain.query import Criteria
from registries.intake import BundleError, read_bundle
from registries.limits import Rates, StoredBuckets
from registries.mirrors.listing import Look, Mirrors
from registries.probe.mirror import MirrorAnswer, look_at_mirror
from registries.probe.policy import TlsContexts
from registries.pull_secrets.images import image_hosts
from registries.verification.prober import probe_policy
from registries.wiring.base import Foundation, part

PROBES_PER_MINUTE = 30


class Mirroring(Foundation):
    """Mirrors of registries."""

    @part
    def mirrors(self) -> Mirrors:
        return Mirrors(self.audit, timezone.now)

    @part
    def mirror_probes(self) -> Rates:
        """Probes of mirrors a minute of one person."""
        return Rates(PROBES_PER_MINUTE, StoredBuckets())

    @part
    def _mirror_contexts(self) -> TlsContexts:
        return TlsContexts()

    def mirror_authorities(self, access: Access) -> Mapping[str, str]:
        """PEM text of the CAs of each host, by host[:port], from the registries that the person sees. A comment line
        has the registry that a CA is from."""
        found: dict[str, dict[str, str]] = {}
        for it in self.index.matching(access, Criteria()):
            if it.ca_bundle:
                try:
                    pem = read_bundle(it.ca_bundle)[0]
                except BundleError:
                    continue
                found.setdefault(image_hosts(it.address)[0], {}).setdefault(pem, str(it.key))
        return {
            host: "".join(f"# {key}\n{pem}" for pem, key in bundles.items())
            for host, bundles in found.items()
        }

    def mirror_look(self, access: Access) -> Look:
        """The probe by the operator's rules, with the CAs of the host."""
        authorities, contexts = self.mirror_authorities(access), self._mirror_contexts

        def look(address: str, repository: str = "", reference: str = "", upstream: str = "") -> MirrorAnswer:
            ca_pem = authorities.get(address.removeprefix("http://"))
            policy = replace(probe_policy(), ca_pem=ca_pem, contexts=contexts)
            return look_at_mirror(address, policy, repository, reference, upstream)

        return look
