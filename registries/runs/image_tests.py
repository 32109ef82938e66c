"""Runs of `manage.py verify` that also look at images. Each registry is tested by itself."""

from collections.abc import Callable, Mapping, Sequence

from registries.domain.access import Access
from registries.domain.registry import Credential, Key
from registries.limits import Pauses
from registries.probe import Result
from registries.probe.image import ImageResult
from registries.runs.execution import Execution
from registries.runs.run import Item, ItemQueue
from registries.runs.threads import Background
from registries.runs.verify import Tested, VerifyKind
from registries.service.registries import Registries
from registries.service.tests import Tests


class ImageKind(VerifyKind):
    """`images` has the images to look at in each registry, by key. `answers` has what was found."""

    def __init__(
        self,
        registries: Registries,
        tests: Tests,
        pauses: Pauses,
        workers: Background,
        at_once: int,
        *,
        platforms: Callable[[Access], Mapping[str, int] | None],
        images: Mapping[Key, Sequence[str]],
    ) -> None:
        super().__init__(registries, tests, pauses, workers, at_once)
        self._platforms = platforms
        self._images = images
        self._nodes: Mapping[str, int] | None = None
        self.answers: dict[Key, tuple[ImageResult, ...]] = {}

    def queue(self, run: Execution[Tested]) -> ItemQueue:
        self._nodes = self._platforms(run.access)
        return super().queue(run)

    def attempt(self, item: Item, credential: Credential) -> Callable[[], Result]:
        return self._tests.image_probe(credential, self._images[item.key], self._nodes)

    def record(self, results: Sequence[tuple[Item, Tested]], run: Execution[Tested]) -> None:
        super().record(results, run)
        for item, (_, result) in results:
            if isinstance(result, Result):
                self.answers[item.key] = result.images
