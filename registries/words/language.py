"""The type of a text that may be translated when it is shown."""

from django.utils.functional import Promise

Text = str | Promise
