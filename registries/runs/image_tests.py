"""Runs of `manage.py verify --image`: tests that also look at an image. Each registry is tested by itself."""

from collections.abc import Callable, Mapping, Sequence

from registries.domain.registry import Credential, Key
from registries.limits import Pauses
from registries.probe import Result
from registries.probe.image import ImageResult
from registries.runs.execution import Execution
from registries.runs.kind import ItemQueue
from registries.runs.run import Item
from registries.runs.tests import Tested, VerifyKind
from registries.runs.threads import Background
from registries.service.images import Images
from registries.service.registries import Registries
from registries.service.tests import Tests


class ImageKind(VerifyKind):
    """`image` is looked at in every registry; "" is the probe image of each. `answers` has what was found, by key."""

    def __init__(
        self,
        registries: Registries,
        tests: Tests,
        pauses: Pauses,
        workers: Background,
        at_once: int,
        *,
        images: Images,
        image: str,
    ) -> None:
        super().__init__(registries, tests, pauses, workers, at_once)
        self._images = images
        self._image = image
        self._nodes: Mapping[str, int] | None = None
        self.answers: dict[Key, ImageResult] = {}

    def queue(self, run: Execution[Tested]) -> ItemQueue:
        self._nodes = self._images.node_platforms(run.access)
        return super().queue(run)

    def attempt(self, credential: Credential) -> Callable[[], Result]:
        image = self._image or credential.probe_image
        return self._tests.image_probe(credential, image, self._nodes)

    def record(self, results: Sequence[tuple[Item, Tested]], run: Execution[Tested]) -> None:
        super().record(results, run)
        for item, (_, result) in results:
            if isinstance(result, Result) and result.image is not None:
                self.answers[item.key] = result.image
