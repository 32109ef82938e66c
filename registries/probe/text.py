"""A sentence in Chinese and English."""

from collections.abc import Mapping
from typing import NamedTuple


class Text(NamedTuple):
    """One sentence in both languages."""

    zh: str
    en: str

    def of(self, language: str | None) -> str:
        """Chinese for every `zh…` language code, English for all others and for none."""
        return self.zh if is_chinese(language) else self.en

    def filled(self, language: str | None, values: Mapping[str, object]) -> str:
        """The sentence with its placeholders filled. A value that is unknown, because only the code was stored,
        becomes `…`."""
        return self.of(language).format_map(_OrDots(values))


def is_chinese(language: str | None) -> bool:
    return (language or "").lower().startswith("zh")


class _OrDots(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return "…"
