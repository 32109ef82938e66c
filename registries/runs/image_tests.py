"""Runs of `manage.py verify` that also look at images. Each registry is tested by itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from registries.domain.access import Access
from registries.domain.registry import Credential, Key
from registries.probe import Result
from registries.probe.image import ImageResult
from registries.runs.execution import Execution
from registries.runs.run import Item, ItemQueue
from registries.runs.verify import Tested, VerifyKind


@dataclass(eq=False, kw_only=True)
class ImageKind(VerifyKind):
    """`images` has the images to look at in each registry, by key. `answers` has what was found."""

    platforms: Callable[[Access], Mapping[str, int] | None]
    images: Mapping[Key, Sequence[str]]
    answers: dict[Key, tuple[ImageResult, ...]] = field(default_factory=dict)
    _nodes: Mapping[str, int] | None = None

    def queue(self, run: Execution[Tested]) -> ItemQueue:
        self._nodes = self.platforms(run.access)
        return super().queue(run)

    def attempt(self, item: Item, credential: Credential) -> Callable[[], Result]:
        return self._tests.image_probe(credential, self.images[item.key], self._nodes)

    def record(self, results: Sequence[tuple[Item, Tested]], run: Execution[Tested]) -> None:
        super().record(results, run)
        for item, (_, result) in results:
            if isinstance(result, Result):
                self.answers[item.key] = result.images
