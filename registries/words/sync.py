"""The states of registries that are kept in step, by the codes of sync.states, and what a person can do about them."""

from django.utils.translation import gettext_lazy as _

from registries.words.labels import Label

RULES = {
    "new": Label(_("Starting…"), "busy", "loader-circle"),
    "active": Label(_("On"), "ok", "circle-check"),
    "no_right": Label(_("Paused"), "warn", "triangle-alert"),
    "source_gone": Label(_("Paused"), "warn", "triangle-alert"),
    "failed": Label(_("Waiting"), "warn", "triangle-alert"),
}
COPIES = {
    "waiting": Label(_("will be written"), "busy", "loader-circle"),
    "in_step": Label(_("in step"), "ok", "circle-check"),
    "present": Label(_("already there, with the same values; left alone"), "idle", "info"),
    "name_taken": Label(_("another registry has this name; left alone"), "warn", "triangle-alert"),
    "changed": Label(_("changed by somebody; left alone"), "warn", "triangle-alert"),
    "deleted": Label(_("deleted by somebody"), "warn", "triangle-alert"),
    "namespace_gone": Label(_("the namespace is gone"), "idle", "info"),
    "left": Label(_("not selected any more"), "idle", "info"),
    "failed": Label(_("failed; tried again every minute"), "bad", "circle-alert"),
}
CLICKS = {
    "changed": _("Overwrite"),
    "present": _("Take over"),
    "deleted": _("Create again"),
    "failed": _("Try now"),
    "namespace_gone": _("Dismiss"),
    "left": _("Dismiss"),
}
EFFECTS = {
    "changed": _("The copy gets the values of the source. What somebody changed is lost."),
    "present": _("The registry becomes a copy of the source and follows its changes."),
    "deleted": _("The copy is created again."),
    "failed": _("The copy is written again now."),
    "namespace_gone": _("The namespace leaves this list. A later one gets a copy again."),
    "left": _("The namespace leaves this list. Its copy stays."),
}
