"""The numbers below a list: which pages there are, and their URLs. Template: _pages.html."""

from collections.abc import Callable
from dataclasses import dataclass


def near_pages(number: int, pages: int) -> list[int | None]:
    """The first, the last and the neighbouring pages; None is a gap."""
    near = {1, pages, number - 1, number, number + 1}
    numbers: list[int | None] = []
    for it in sorted(it for it in near if 1 <= it <= pages):
        if numbers and it > (numbers[-1] or 0) + 1:
            numbers.append(None)
        numbers.append(it)
    return numbers


@dataclass(frozen=True, slots=True)
class Pages:
    """One page of a list of `total` lines. `more` says that there are more lines, which were not counted."""

    number: int
    size: int
    total: int
    more: bool
    url: Callable[[int], str]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)

    @property
    def page_urls(self) -> list[tuple[int, str] | None]:
        return [None if it is None else (it, self.url(it)) for it in near_pages(self.number, self.pages)]

    @property
    def previous_url(self) -> str:
        return self.url(self.number - 1) if self.number > 1 else ""

    @property
    def next_url(self) -> str:
        return self.url(self.number + 1) if self.number < self.pages else ""
