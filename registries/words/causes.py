"""What is wrong with a field, in words, and what to do about it."""

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from registries.domain.errors import PART_MAX, Cause, Problem
from registries.domain.shown import shown_words
from registries.probe import remarks
from registries.words.language import Text
from registries.words.problems import problem_text

FIELD_TEXTS: dict[tuple[str, Problem], Text] = {
    ("name", Problem.CHARACTERS): _("Use lower-case letters, digits and hyphens only."),
    ("name", Problem.ENDS): _("Start and end with a letter or a digit."),
    ("name", Problem.TOO_LONG): _("Use at most 253 characters."),
    ("name", Problem.TAKEN): _("This name is taken in this namespace. Choose another one."),
    ("name", Problem.BEING_DELETED): _(
        "The registry of this name is being deleted. Choose another name, or wait until it is gone."
    ),
    ("namespace", Problem.CHARACTERS): _("Use lower-case letters, digits and hyphens only."),
    ("namespace", Problem.ENDS): _("Start and end with a letter or a digit."),
    ("namespace", Problem.TOO_LONG): _("Use at most 63 characters."),
    ("namespace", Problem.TAKEN): _("This namespace already exists."),
    ("namespace", Problem.UNKNOWN): _("This namespace does not exist, or you have no role in it."),
    ("namespace", Problem.FORBIDDEN_HERE): _(
        "Adding a registry in this namespace requires the role image-admin."
    ),
    ("username", Problem.TAKEN): _("This account already exists."),
    ("username", Problem.ACCOUNT_NAME): _("Use letters, digits and @ . + - _ only, at most 150."),
    ("password", Problem.HOLDS_PASSWORD): _(
        "A text of this registry contains this password, for example its description. Remove it there first."
    ),
    ("password", Problem.PASSWORD_TOO_SHORT): _("Use at least 8 characters."),
    ("password", Problem.PASSWORD_TOO_COMMON): _("This password is too common. Choose another one."),
    ("password", Problem.PASSWORD_TOO_SIMILAR): _(
        "This password is too similar to the user name. Choose another one."
    ),
    ("namespaces", Problem.UNKNOWN): _("This namespace does not exist, or you have no role in it."),
    ("expires", Problem.EXPIRY): _("Choose a date between today and one year from now."),
    ("name", Problem.TOO_LONG_HERE): _("Use at most 64 characters."),
    ("name", Problem.CHANNEL_TAKEN): _("A channel with this name already exists here."),
    ("name", Problem.TOO_MANY_CHANNELS): _("There are 50 channels here. Delete one that is no longer used."),
    ("url", Problem.TOO_LONG_HERE): _("Use at most 2,048 characters."),
    ("secret", Problem.TOO_LONG_HERE): _("Use at most 2,048 characters."),
    ("token", Problem.TOO_LONG_HERE): _("Use at most 2,048 characters."),
    ("to", Problem.TOO_LONG_HERE): _("Use at most 2,048 characters."),
    ("language", Problem.UNKNOWN): _("Choose one of the languages."),
    ("address", Problem.TAKEN): _("The list already has this mirror of this registry."),
    ("address", Problem.TOO_MANY): _("There are 50 mirrors. Delete one that is no longer used."),
    ("reason", Problem.TOO_MANY): _("There are 50 silences here. End one that is no longer needed."),
    ("starts_at", Problem.SILENCE_DAY): _("Choose a start at most one year before or after now."),
    ("name", Problem.TOO_MANY): _("You have 50 tokens. Revoke one that is no longer used."),
    ("groups", Problem.TOO_MANY): _("Choose at most 5 nodes."),
    ("groups", Problem.REQUIRED): _("Choose a node."),
    ("groups", Problem.UNKNOWN): _("One of these nodes no longer exists."),
    ("adopted", Problem.FORBIDDEN): _("You may not read this Secret any more. Enter the password."),
    ("adopted", Problem.NOT_FOUND): _(
        "The Secret does not have this credential any more. Enter the password."
    ),
    ("role", Problem.UNKNOWN): _("Choose one of the roles."),
    ("action", Problem.UNKNOWN): _("Choose one of the actions."),
    ("outcome", Problem.UNKNOWN): _("Choose one of the outcomes."),
    ("solution", Problem.UNKNOWN): _("Choose one of the solutions."),
    ("provider", Problem.UNKNOWN): _("Choose one of the providers."),
    ("tls", Problem.UNKNOWN): _("Choose how the certificate is verified."),
    ("tls", Problem.TLS_WITHOUT_HTTPS): _(
        "http:// has no certificate. Remove http://, or choose the system's trust."
    ),
    ("ca_bundle", Problem.CA_EMPTY): _(
        "Paste a PEM certificate: it begins with -----BEGIN CERTIFICATE-----."
    ),
    ("ca_bundle", Problem.CA_UNREADABLE): _("This certificate is damaged. Copy all of it again."),
    ("ca_bundle", Problem.CA_PRIVATE_KEY): _("The text contains a private key. Paste only the certificate."),
    ("ca_bundle", Problem.CA_TOO_MANY): _("Use at most 20 certificates."),
}
"""The sentence of a problem with one field, where that needs one of its own."""


_CATALOGUED = frozenset({"domain", "username", "password", "upstream", "address"})
"""Fields whose problems have their sentences in the catalogue of the probe."""


def cause_text(cause: Cause) -> str:
    """What is wrong with one field and what to do about it."""
    specific = FIELD_TEXTS.get((cause.field, cause.problem))
    if specific is not None:
        return str(specific)
    if cause.problem is Problem.TOO_LONG and cause.limit is not None:
        return gettext("Use at most %(limit)s characters.") % {"limit": f"{cause.limit:,}"}
    if cause.problem is Problem.IMAGE_ELSEWHERE and cause.field == "adopted":
        text = gettext(
            "The password in this Secret is for %(host)s, and goes to no other host. Correct the address."
        )
        return text % {"host": shown_words(cause.part, PART_MAX)}
    if cause.problem is Problem.IMAGE_ELSEWHERE and cause.part:
        text = gettext("Nodes pull this image from another registry. Begin with %(host)s/")
        return text % {"host": cause.part}
    if cause.problem is not Problem.REQUIRED and cause.field in _CATALOGUED:
        catalogued = {**remarks.ADDRESS_PROBLEMS, **remarks.CREDENTIAL_PROBLEMS}.get(cause.problem)
        if catalogued is not None:
            return catalogued.of(get_language()).format(part=cause.part)
    return problem_text(cause.problem)
