"""The type of a text that may be translated when it is shown; sentences after one another."""

from django.utils.functional import Promise
from django.utils.translation import get_language

Text = str | Promise


def is_chinese() -> bool:
    """Whether the page is Chinese, whose full stop needs no space after it."""
    return (get_language() or "").startswith("zh")


def comma() -> str:
    """Between the parts of a list."""
    return "、" if is_chinese() else ", "


def quoted(text: str) -> str:
    """A text in the quotation marks of the language."""
    return f"「{text}」" if is_chinese() else f"“{text}”"


def sentences(*texts: Text | None) -> str:
    """Sentences one after another, without the empty ones."""
    return ("" if is_chinese() else " ").join(str(text) for text in texts if text)


def with_stop(text: str) -> str:
    """A text with its full stop; "" stays empty."""
    return text.rstrip("。.") + ("。" if is_chinese() else ".") if text else ""
