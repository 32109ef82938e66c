"""What the last tests say of the probe images of registries, for the list and the overview."""

from collections.abc import Iterable

from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.probe.result import Result
from registries.pull_secrets.matching import read_image
from registries.verification.history import MOST_PARAMETERS
from registries.wiring import services
from registries.words import labels


def troubles(registries: Iterable[RegistrySecret]) -> dict[str, str]:
    """By uid, why nodes may not pull the probe image of a registry whose credential works, in short. One query for each
    MOST_PARAMETERS registries with a probe image, none without one."""
    probed = [it for it in registries if it.probe_image and it.verification.status is VerifyStatus.SUCCESS]
    found: dict[str, str] = {}
    for first in range(0, len(probed), MOST_PARAMETERS):
        some = {it.uid: it for it in probed[first : first + MOST_PARAMETERS]}
        for uid, result in services().history.newest(some).items():
            if text := _trouble(some[uid], result):
                found[uid] = text
    return found


def _trouble(registry: RegistrySecret, result: Result) -> str:
    """The answer belongs to the stored verdict, as on the details page, and to the probe image: somebody may have tested
    another one."""
    named, image = read_image(registry.probe_image), result.image
    if image is None or named is None or image.image != named.name:
        return ""
    return labels.image_trouble(image) if result.reason == registry.verification.reason else ""
