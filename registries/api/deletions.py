"""What a deletion means for rules that keep registry secrets in sync: a caller decides about the copies before it."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.utils import translation

from registries.api.endpoint import Caller
from registries.api.status import InvalidValues, bad_request
from registries.domain.errors import Cause, Conflict, Problem
from registries.domain.registry import RegistrySecret
from registries.sync.views import Deletion
from registries.wiring import services
from registries.words.names import plain
from registries.words.sync import deletion_sentences

KEEP, DELETE = "keep", "delete"


def choice_of(request: HttpRequest, *allowed: str) -> str:
    """The parameter `copies`, or "". ApiError 400 for another value."""
    given = request.GET.get("copies", "")
    if given and given not in allowed:
        raise bad_request(f"copies: the value can be {' or '.join(allowed)}")
    return given


def choice_in(given: object) -> str:
    """The value `copies` of a body, or "". InvalidValues for another value."""
    if given is None:
        return ""
    if given not in (KEEP, DELETE):
        raise InvalidValues("", (Cause("copies", Problem.UNKNOWN),))
    return str(given)


def decided(caller: Caller, registries: Sequence[RegistrySecret], choice: str) -> Deletion:
    """What the deletion of these means for rules. Conflict `kept_in_step` without a choice, where copies of a source
    would stay that this caller could delete."""
    found = services().sync_rules.deletion(access=caller.access, registries=registries)
    if found.kept and not choice:
        raise Conflict(str(found.sources[0].key), Problem.KEPT_IN_STEP)
    return found


def warning(found: Deletion, *, many: bool = False) -> dict[str, str]:
    """The header Warning as in Kubernetes, one text for each kind of effect."""
    keys = ([it.key for it in group] for group in (found.sources, found.copies, found.awaited))
    with translation.override("en"):
        texts = deletion_sentences(*keys, many=many, fill=plain)
    told = (text.replace("…", "...") for text in texts)
    return {"Warning": ", ".join(f'299 - "{text}"' for text in told)} if texts else {}
