"""The reader's language, and the type of a text that waits for it."""

from django.utils.functional import Promise
from django.utils.translation import get_language

Text = str | Promise


def language() -> str:
    """The probe's catalogue speaks `zh` and `en`."""
    return "zh" if (get_language() or "").startswith("zh") else "en"
