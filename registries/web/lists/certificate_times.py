"""Why the list shows a certificate as outside its validity period, where the end of the certificate does not say it."""

from collections.abc import Iterable

from registries.domain.registry import RegistrySecret
from registries.probe import Reason
from registries.probe.validity import expired_at
from registries.wiring import services
from registries.words import labels


def reasons(registries: Iterable[RegistrySecret]) -> dict[str, str]:
    """By uid, what the last test of these registries says of it: the certificate is not valid yet, or one of its CA
    expired. One query where there are such registries, else none."""
    uids = [
        it.uid
        for it in registries
        if it.verification.reason == Reason.TLS_EXPIRED
        and not expired_at(it.certificate_ends, it.verification.at)
    ]
    results = services().history.newest(uids) if uids else {}
    return {uid: labels.outcome_text(it) for uid, it in results.items() if it.reason is Reason.TLS_EXPIRED}
