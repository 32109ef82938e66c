"""The reader's language, and the type of a text that may be translated when shown."""

from django.utils.functional import Promise
from django.utils.translation import get_language

Text = str | Promise


def language() -> str:
    """The language of the page as the probe's catalogue names it: `zh` or `en`."""
    return "zh" if (get_language() or "").startswith("zh") else "en"
