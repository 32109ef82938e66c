"""Registries whose annotations name a source that the console did not copy: `kubectl` can write them, and whoever
aligns such a registry would give the password of the source to its namespace."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from registries.domain.registry import Key, Origin, RegistrySecret
from registries.domain.resource import COPIED_FROM_SEAL, COPIED_FROM_UID, origin_annotations
from registries.models import AuditEntry
from registries.service.origins import Origins
from registries.wiring import services
from tests import canary
from tests.cast import Cast
from tests.web.copies import ALIGN, copied, lines, namespaces, panel, password, stored

COPY = Key("team-b", "harbor-prod")
ALIGN_C = "/registries/team-c/harbor-prod/align/"


def named(registry: RegistrySecret, origin: Origin) -> None:
    """Somebody writes annotations with kubectl."""
    services().store.annotate(registry.key, origin_annotations(origin), uid=registry.uid)


def unsealed(source: RegistrySecret, real: RegistrySecret) -> Origin:
    return Origin(source.key, source.uid)


def invented(source: RegistrySecret, real: RegistrySecret) -> Origin:
    return Origins("guessed", lambda *_: False).sealed(unsealed(source, real), Key("team-c", "harbor-prod"))


def of_another_copy(source: RegistrySecret, real: RegistrySecret) -> Origin:
    assert real.origin
    assert real.origin.seal
    return real.origin


def of_another_source(source: RegistrySecret, real: RegistrySecret) -> Origin:
    """The seal of a copy of somebody's own registry."""
    own = Origin(Key("team-c", "own"), "0b6f4a54-5a0e-4bb4-9a1b-0f2f5b6c7d8e")
    return replace(
        unsealed(source, real), seal=services().origins.sealed(own, Key("team-c", "harbor-prod")).seal
    )


def of_an_earlier_source(source: RegistrySecret, real: RegistrySecret) -> Origin:
    earlier = Origin(source.key, "0b6f4a54-5a0e-4bb4-9a1b-0f2f5b6c7d8e")
    sealed = services().origins.sealed(earlier, Key("team-c", "harbor-prod"))
    return replace(sealed, uid=source.uid)


@pytest.mark.parametrize(
    "claimed", [unsealed, invented, of_another_copy, of_another_source, of_an_earlier_source]
)
def test_a_false_copy_is_none(
    cast: Cast, claimed: Callable[[RegistrySecret, RegistrySecret], Origin]
) -> None:
    source, real = copied(cast)
    namespaces(cast, "team-c")
    false = cast.add(namespace="team-c", password="another-1")
    named(false, claimed(source, real))
    elsewhere = cast.add("elsewhere", "team-c", domain="else.example.com")
    named(elsewhere, claimed(source, real))
    client = cast.htmx()

    [own, other] = lines(panel(cast))
    assert "副本" in own
    assert "team-c" in other
    assert "副本" not in other
    assert ALIGN_C not in panel(cast)
    assert "team-a" not in panel(cast, path="/registries/team-c/elsewhere/relatives/")
    assert client.get(ALIGN_C).status_code == 404
    answer = client.post(ALIGN_C, {"uid": false.uid, "source": source.uid})
    assert answer.status_code == 404
    assert password(stored(cast)["team-c/harbor-prod"]) == "another-1"
    assert ALIGN not in panel(cast), "the real copy is alike"


def test_a_change_of_the_console_makes_no_copy_of_it(cast: Cast) -> None:
    source = cast.add()
    false = cast.add(namespace="team-b", password="another-1")
    named(false, Origin(source.key, source.uid))

    access, put = cast.access("olive"), services().replacement.put
    old = services().replacement.before(access=access, key=COPY, uid=false.uid)
    put(access=access, uid=false.uid, old=old, new=replace(old, username="robot"))

    changed = stored(cast)[str(COPY)]
    assert (changed.uid != false.uid, changed.username) == (True, "robot")
    assert cast.htmx().post(ALIGN, {"uid": changed.uid, "source": source.uid}).status_code == 404
    assert password(changed) == "another-1"


def test_a_false_copy_of_an_earlier_source_is_not_linked(cast: Cast) -> None:
    source = cast.add()
    false = cast.add(namespace="team-b", password="another-1")
    named(false, Origin(source.key, "0b6f4a54-5a0e-4bb4-9a1b-0f2f5b6c7d8e"))

    assert "relink" not in panel(cast)
    assert services().relatives.link(access=cast.access("olive"), source=source, uids={false.uid}) == 0


def test_no_page_and_no_answer_has_the_seal(cast: Cast) -> None:
    _, copy = copied(cast)
    assert copy.origin
    assert copy.origin.seal
    shown = cast.api("olive").get(
        "/oapis/image.theriseunion.io/v1alpha1/namespaces/team-b/registry-secrets/harbor-prod"
    )

    assert COPIED_FROM_UID in shown.content.decode()
    assert copy.origin.seal not in shown.content.decode()
    assert copy.origin.seal not in repr(copy)


@pytest.fixture
def older(cast: Cast) -> tuple[RegistrySecret, RegistrySecret]:
    """A source and a drifted copy, made before there were seals."""
    source, copy = copied(cast)
    services().store.annotate(copy.key, {COPIED_FROM_SEAL: None}, uid=copy.uid)
    services().store.set_password(copy.key, "another-1", uid=copy.uid)
    return source, stored(cast)[str(COPY)]


def test_an_older_copy_is_known_from_the_audit_log(
    cast: Cast, older: tuple[RegistrySecret, RegistrySecret]
) -> None:
    source, copy = older

    assert ALIGN in panel(cast)
    assert cast.htmx().post(ALIGN, {"uid": copy.uid, "source": source.uid}).status_code == 200
    assert password(stored(cast)[str(COPY)]) == canary.CANARY


def test_an_older_copy_is_known_after_it_was_restored(
    cast: Cast, older: tuple[RegistrySecret, RegistrySecret]
) -> None:
    access, (_, copy) = cast.access("olive"), older
    services().registries.delete(access=access, key=copy.key, uid=copy.uid)
    services().undo.restore(access=access, key=copy.key, uid=copy.uid)

    assert ALIGN in panel(cast)


def test_without_an_entry_there_is_no_older_copy(
    cast: Cast, older: tuple[RegistrySecret, RegistrySecret]
) -> None:
    AuditEntry.objects.filter(action="copy").delete()

    assert ALIGN not in panel(cast)


def test_an_entry_about_an_earlier_source_is_none(
    cast: Cast, older: tuple[RegistrySecret, RegistrySecret]
) -> None:
    """Its copy names the uid of the new one, which only a link may do."""
    access, (source, copy) = cast.access("olive"), older
    services().registries.delete(access=access, key=source.key, uid=source.uid)
    AuditEntry.objects.filter(action="copy").update(at=source.created_at - timedelta(days=1))
    new = cast.add(password="secret-of-others-1")
    services().store.annotate(copy.key, {COPIED_FROM_UID: new.uid}, uid=copy.uid)
    false = stored(cast)[str(COPY)]
    assert services().origins.is_true(false), "an entry names the source"

    assert ALIGN not in panel(cast)
    assert cast.htmx().post(ALIGN, {"uid": copy.uid, "source": new.uid}).status_code == 404

    services().store.annotate(copy.key, {COPIED_FROM_UID: source.uid}, uid=copy.uid)
    assert services().relatives.link(access=access, source=new, uids={copy.uid}) == 1
    assert ALIGN in panel(cast), "a link seals it"
    AuditEntry.objects.all().delete()
    assert ALIGN in panel(cast)


def test_many_false_copies_take_few_queries(cast: Cast) -> None:
    source, real = copied(cast)
    asked: list[str] = []
    origins = Origins("key", lambda uid, *_: bool(asked.append(uid)))
    false = [replace(real, uid=str(number), origin=Origin(source.key, source.uid)) for number in range(500)]
    assert real.origin
    mine = replace(real, origin=origins.sealed(real.origin, real.key))

    assert list(origins.true([*false, mine])) == [mine]
    assert len(asked) == 50
