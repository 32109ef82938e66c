"""The type of a text that may be translated when it is shown; sentences after one another."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import get_language

Text = str | Promise


def sentences(texts: Iterable[Text | None]) -> str:
    """Whole sentences after one another. Chinese has no space between them. Empty ones are left out."""
    chinese = (get_language() or "").startswith("zh")
    return ("" if chinese else " ").join(str(it) for it in texts if it)
