"""Files for the browser in tests: looked for once in a process, rather than for every client."""

from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware

_known: dict[tuple[Any, ...], dict[str, Any]] = {}


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Whitenoise, which lists a folder whenever it is made. The folder does not change while tests run."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        key = (str(root), prefix, self.autorefresh)
        if key not in _known:
            super().add_files(root, prefix)
            _known[key] = dict(self.files)
        self.files.update(_known[key])
