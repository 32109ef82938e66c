"""A page of one registry that stays open: it is told what changes, and what is gone."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from registries.domain.registry import Key
from registries.models import Silence
from registries.wiring import services
from tests.cast import Cast
from tests.web.details_pages import HTMX, PATH, shown


class TestAnOpenPage:
    def ask(self, cast: Cast, version: str, person: str = "vic", path: str = PATH) -> Any:
        return cast.client(person).get(path, {"version": version}, headers=HTMX)

    def version(self, cast: Cast, person: str = "vic") -> str:
        found = re.search(r'data-version="([^"]+)"', shown(cast, person))
        assert found
        return found[1]

    def test_is_told_nothing_while_nothing_changes(self, cast: Cast) -> None:
        cast.add()
        cast.add("other")

        answer = self.ask(cast, self.version(cast))

        assert (answer.status_code, answer.content) == (204, b"")

    @pytest.mark.parametrize("what", ["edit", "test", "refused"])
    def test_is_drawn_anew_when_something_does(self, cast: Cast, what: str) -> None:
        it = cast.add()
        before = self.version(cast)
        if what == "edit":
            values = {"display_name": "新的名称", "description": ""}
            services().registries.edit(
                access=cast.access("nina"),
                key=it.key,
                uid=it.uid,
                resource_version=it.resource_version,
                information=values,
            )
        elif what == "test":
            cast.client("omar").post(f"{PATH}verify/")
        else:
            cast.client("omar").post(f"{PATH}delete/", {"uid": it.uid, "confirm": it.name})

        answer = self.ask(cast, before)

        text = answer.content.decode()
        assert answer.status_code == 200
        assert "<html" not in text
        assert f'data-version="{self.version(cast)}"' in text
        if what == "edit":
            assert "<title>新的名称 · " in text

    def test_is_drawn_anew_when_its_messages_begin_and_cease_to_wait(self, cast: Cast) -> None:
        it = cast.add()
        loud = self.version(cast)
        now, hour = timezone.now(), timedelta(hours=1)
        silence = Silence.objects.create(namespace=it.namespace, starts_at=now - hour, ends_at=now + hour)
        assert self.ask(cast, loud).status_code == 200
        silent = self.version(cast)
        assert self.ask(cast, silent).status_code == 204

        silence.delete()

        assert self.ask(cast, silent).status_code == 200
        assert self.ask(cast, loud).status_code == 204

    def test_is_told_that_its_registry_is_gone(self, cast: Cast) -> None:
        it = cast.add()
        before = self.version(cast)
        services().registries.delete(access=cast.access("nina"), key=it.key, uid=it.uid)

        answer = self.ask(cast, before)

        assert answer.status_code == 200
        assert 'id="gone-by"' in answer.content.decode()
        assert "data-version" not in answer.content.decode()
        assert cast.client("vic").get(PATH, headers=HTMX).status_code == 404

    @pytest.mark.parametrize(
        ("person", "by_console", "says"),
        [("nina", True, "undo-gone"), ("nina", False, "无法恢复"), ("vic", True, ""), ("vic", False, "")],
    )
    def test_offers_the_undo_of_a_deletion_or_says_that_there_is_none(
        self, cast: Cast, person: str, says: str, *, by_console: bool
    ) -> None:
        """kubectl, or another program, deletes in the store."""
        it = cast.add()
        before = self.version(cast, person)
        if by_console:
            services().registries.delete(access=cast.access("nina"), key=it.key, uid=it.uid)
        else:
            services().store.delete(it.key, uid=it.uid)

        text = self.ask(cast, before, person).content.decode()

        assert [word for word in ("undo-gone", "无法恢复") if word in text] == ([says] if says else [])
        assert ('href="/registries/-/add/?namespace=team-a"' in text) is (says == "无法恢复")
        text = re.sub('<span class="unbroken">([^<]+)</span>', r"\1", text)
        told = re.search(r'id="gone-by">nina 于 [-0-9: ]{16} 删除。(?:可在 [-0-9: ]{16} 前撤销。)?</p>', text)
        assert ("已被删除。" in text) is not by_console, "it would be said twice"
        assert (bool(told), "前撤销" in text) == (by_console, says == "undo-gone")
        if says == "undo-gone":
            path = re.search(r'hx-post="([^"]+)"', text)[1]  # type: ignore[index]
            assert cast.client(person).post(path).url == PATH  # type: ignore[attr-defined]
            assert cast.find().origin is None

    def test_is_not_shown_a_namesake_as_the_same(self, cast: Cast) -> None:
        it = cast.add()
        before = self.version(cast, "nina")
        services().registries.delete(access=cast.access("nina"), key=it.key, uid=it.uid)
        cast.add()

        text = self.ask(cast, before, "nina").content.decode()

        assert "已被删除并重新创建" in text
        assert f'href="{PATH}"' in text
        assert f"{PATH}delete/" not in text

    def test_of_another_namespace_looks_gone_whether_it_is_there_or_not(self, cast: Cast) -> None:
        it = cast.add("harbor-prod", "team-b")
        version = f"{it.uid}/{it.resource_version}/0/"

        there = self.ask(cast, version, path="/registries/team-b/harbor-prod/").content
        services().registries.delete(
            access=cast.access("olive"), key=Key("team-b", "harbor-prod"), uid=it.uid
        )

        assert self.ask(cast, version, path="/registries/team-b/harbor-prod/").content == there
