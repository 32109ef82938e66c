"""What the last tests say of the probe images of registries, for the list and the overview."""

from collections.abc import Iterable
from time import monotonic

from registries.domain.registry import RegistrySecret, VerifyStatus
from registries.probe.image import ImageResult
from registries.probe.result import Result
from registries.pull_secrets.matching import read_image
from registries.verification.history import MOST_PARAMETERS
from registries.wiring import services
from registries.words import labels

KEPT, KEPT_FOR = 10_000, 60.0
"""Answers in memory, and for how many seconds. A new verdict is a new version of the registry."""
_kept: dict[tuple[str, str], tuple[float, ImageResult | None]] = {}
"""By uid and resource version: the time, and the answer."""


def troubles(registries: Iterable[RegistrySecret]) -> dict[str, str]:
    """By uid, why nodes may not pull the probe image of a registry whose credential works, in short. At most one query
    for each MOST_PARAMETERS registries with a probe image, none without one."""
    probed = [it for it in registries if it.probe_image and it.verification.status is VerifyStatus.SUCCESS]
    if not probed:
        return {}
    found, missing, now = dict[str, ImageResult | None](), list[RegistrySecret](), monotonic()
    for it in probed:
        at, image = _kept.get(_version(it), (-KEPT_FOR, None))
        if now - at < KEPT_FOR:
            found[it.uid] = image
        else:
            missing.append(it)
    found |= _read(missing, now)
    texts = {uid: labels.image_trouble(image) for uid, image in found.items() if image}
    return {uid: text for uid, text in texts.items() if text}


def _version(registry: RegistrySecret) -> tuple[str, str]:
    return registry.uid, registry.resource_version


def _read(registries: list[RegistrySecret], now: float) -> dict[str, ImageResult | None]:
    found: dict[str, ImageResult | None] = {}
    if len(_kept) + len(registries) > KEPT:
        _kept.clear()
    for first in range(0, len(registries), MOST_PARAMETERS):
        some = registries[first : first + MOST_PARAMETERS]
        results = services().history.newest([it.uid for it in some])
        for it in some:
            found[it.uid] = _answer(it, results.get(it.uid))
            _kept[_version(it)] = now, found[it.uid]
    return found


def _answer(registry: RegistrySecret, result: Result | None) -> ImageResult | None:
    """An answer that belongs to the stored verdict, as on the details page, and to the probe image: somebody may have
    tested another one."""
    if result is None or result.image is None or result.reason != registry.verification.reason:
        return None
    named = read_image(registry.probe_image)
    return result.image if named and named.name == result.image.image else None
