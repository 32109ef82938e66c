"""In what a registry differs from its source, by the codes of service.likeness."""

from django.utils.translation import gettext_lazy as _

DIFFERENCES = {
    "address": _("another address"),
    "username": _("another user name"),
    "trust": _("other certificate settings"),
    "password": _("another password"),
    "unknown": _("not compared"),
}
