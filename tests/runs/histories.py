"""Random histories of registries and their copies, and what has to hold after every step."""

from random import Random
from uuid import UUID

from django.utils import timezone

from registries.domain.access import Access
from registries.domain.errors import AlreadyExists
from registries.domain.query import Criteria
from registries.domain.registry import Key, RegistrySecret
from registries.intake import read_draft
from registries.models import Rotation, SyncCopy, SyncRule, VerificationRecord
from registries.runs.run import RunState
from registries.sync.rows import Selection
from registries.wiring import services
from tests.canary import CANARY
from tests.cast import typed
from tests.peers.scripted import wait_for

PASSWORDS = (CANARY, f"{CANARY}-2", f"{CANARY}-3")
NAMES = ("one", "two")
SILENT = "127.0.0.1:9"
"""Nothing answers there: a new password never connects."""


def differs(one: RegistrySecret, other: RegistrySecret) -> bool:
    return not services().likeness.alike("nobody", one, other)


State = dict[Key, tuple[str, str, bytes]]
"""By key: uid, resource version and digest."""


class History:
    def __init__(self, seed: int, access: Access, namespaces: tuple[str, ...]) -> None:
        self.random = Random(seed)
        self.access = access
        self.namespaces = namespaces
        self.made = self.aligned = self.rotated = self.undone = self.found_again = self.followed = 0
        self.deleted: list[tuple[Key, str, bytes]] = []
        """What a person deleted: key, uid and digest."""
        self.of_rules: dict[Key, tuple[str, bytes]] = {}
        """What rules wrote last: uid and digest by key."""

    def live(self, steps: int) -> None:
        actions = (
            self.add,
            self.copy,
            self.copy,
            self.copy,
            self.password,
            self.outside,
            self.delete,
            self.delete_twice,
            self.align,
            self.align_missing,
            self.rotate,
            self.rotate,
            self.undo,
            self.undo,
            self.follow,
            self.follow,
        )
        self.add()
        for _ in range(steps):
            self.random.choice(actions)()

    def registries(self) -> list[RegistrySecret]:
        return list(services().index.matching(self.access, Criteria()))

    def state(self) -> State:
        store = services().store
        return {it.key: (it.uid, it.resource_version, store.fingerprint(it)) for it in self.registries()}

    def one(self) -> RegistrySecret | None:
        found = self.registries()
        return self.random.choice(found) if found else None

    # What people do

    def add(self) -> None:
        values = {
            "password": self.random.choice(PASSWORDS),
            "username": self.random.choice(("admin", "robot")),
            "domain": SILENT,
        }
        draft = read_draft(typed(self.random.choice(NAMES), self.random.choice(self.namespaces), **values))
        try:
            services().registries.create(access=self.access, draft=draft)
        except AlreadyExists:
            return

    def copy(self) -> None:
        """Only what the preview lists is created, whatever happens between the preview and the start."""
        sources = self.random.sample(self.registries(), min(len(self.registries()), 2))
        into = self.random.sample(self.namespaces, self.random.randint(1, len(self.namespaces)))
        before = self.state()
        targets = services().copying.plan(access=self.access, sources=sources, namespaces=into)
        assert self.state() == before, "a preview changes nothing"
        possible = {it.key: it for it in targets if it.problem is None}
        assert not possible.keys() & before.keys()
        if not possible:
            return
        runs = services().runs["copy"]
        run = runs.propose(access=self.access, registries=list(possible.values()))
        if self.random.random() < 0.3:
            self.outside()
            before = self.state()
        runs.start(access=self.access, run_id=run)
        assert wait_for(lambda: runs.view(access=self.access, run_id=run).state is RunState.DONE)
        after = self.state()
        assert {key: after.get(key) for key in before} == before, "nothing that was there is touched"
        new = after.keys() - before.keys()
        assert new <= possible.keys(), "nothing outside the preview is created"
        for key in new:
            assert after[key][2] == after[possible[key].source.key][2]
        assert runs.view(access=self.access, run_id=run).succeeded == len(new)
        self.made += len(new)

    def password(self) -> None:
        if it := self.one():
            services().passwords.change_password(
                access=self.access, key=it.key, uid=it.uid, password=self.random.choice(PASSWORDS)
            )

    def delete(self) -> None:
        if it := self.one():
            digest = self.state()[it.key][2]
            services().registries.delete(access=self.access, key=it.key, uid=it.uid)
            self.deleted.append((it.key, it.uid, digest))

    def delete_twice(self) -> None:
        """Three registries of one name, with different passwords: each can be restored."""
        if it := self.one():
            for password in (*self.random.sample(PASSWORDS, 2), ""):
                now = services().registries.find(access=self.access, key=it.key)
                self.deleted.append((now.key, now.uid, self.state()[now.key][2]))
                services().registries.delete(access=self.access, key=now.key, uid=now.uid)
                if password:
                    values = {"password": password, "username": now.username, "domain": SILENT}
                    draft = read_draft(typed(it.name, it.namespace, **values))
                    services().registries.create(access=self.access, draft=draft)

    def undo(self) -> None:
        """Restores one that was deleted, with its password, unless its name is taken; nothing else changes."""
        if not self.deleted:
            return
        key, uid, digest = self.deleted.pop(self.random.randrange(len(self.deleted)))
        before = self.state()
        try:
            services().undo.restore(access=self.access, key=key, uid=uid)
        except AlreadyExists:
            assert key in before
            assert self.state() == before
            return
        after = self.state()
        assert key not in before
        assert {it: after[it] for it in before} == before
        assert after[key][2] == digest
        self.undone += 1

    def rotate(self) -> None:
        """A new password that does not connect, for one and some of its copies; then one of the ways out."""
        found = [it for it in self.registries() if it.domain == SILENT]
        if not found:
            return
        first = self.random.choice(found)
        copies = [it.registry for it in services().copies.of(access=self.access, registry=first)]
        chosen = [first, *self.random.sample(copies, self.random.randint(0, len(copies)))]
        before, rotations = self.state(), services().rotations
        changes = {"password": self.random.choice(PASSWORDS)}
        anyway = self.random.random() < 0.7
        run = rotations.begin(access=self.access, registries=chosen, changes=changes, anyway=anyway)
        way = ""
        if self.rotation_over(run) is RunState.CANCELLED:
            way = self.random.choice(("retry", "roll_back", "leave"))
            getattr(rotations, way)(access=self.access, run_id=run)
            assert self.rotation_over(run) is RunState.DONE
        after = self.state()
        keys = [it.key for it in chosen]
        others = [
            {key: (uid, digest) for key, (uid, _, digest) in it.items() if key not in keys}
            for it in (before, after)
        ]
        assert others[0] == others[1], (
            "a verdict may be written to others with this credential, and nothing else"
        )
        old, new = ([it[key][2] for key in keys] for it in (before, after))
        if way == "roll_back" or not anyway:
            assert new == old
        elif way == "leave":
            assert new[1:] == old[1:]
        else:
            assert len(set(new)) == 1
        assert not Rotation.objects.exists()
        self.rotated += 1

    def rotation_over(self, run: UUID) -> RunState:
        """The state of a change that has ended or stopped, once no test is under way."""

        def state() -> RunState:
            return services().runs["rotate"].view(access=self.access, run_id=run).state

        assert wait_for(lambda: state() is not RunState.RUNNING)
        assert wait_for(lambda: not VerificationRecord.objects.filter(finished_at=None).exists())
        return state()

    def follow(self) -> None:
        """A rule is set up, and all rules act: they write their own copies, which are then like their sources."""
        source = self.one()
        places = set(self.random.sample(self.namespaces, 2)) - {source.namespace if source else ""}
        if source is None or not services().sync_rules.available:
            return
        chosen = Selection(names=tuple(sorted(places)))
        services().sync_rules.set_up(access=self.access, source=source, selection=chosen)
        before = self.state()
        SyncRule.objects.update(due_at=timezone.now())
        services().follower.turn()
        after = self.state()
        rows = SyncCopy.objects.filter(state="in_step").select_related("rule")
        sources = {Key(it.namespace, it.rule.name): Key(it.rule.namespace, it.rule.name) for it in rows}
        changed = {it for it in before.keys() | after.keys() if before.get(it) != after.get(it)}
        assert changed <= sources.keys(), "a rule touches nothing but its own copies"
        for it in changed:
            uid, _, digest = before.get(it, ("", "", b""))
            assert not uid or (uid, digest) == self.of_rules.get(it), "nor those that somebody changed"
            assert after[it][2] == after[sources[it]][2]
            self.of_rules[it] = after[it][0], after[it][2]
        self.followed += len(changed)

    def align_missing(self) -> None:
        """A copy that others deleted is made again; one that a person deleted is not missed."""
        for source in self.registries():
            for it in services().missing_copies.of(access=self.access, source=source):
                before = self.state()
                assert it.name_taken is (it.key in before)
                if it.name_taken:
                    continue
                services().missing_copies.align(access=self.access, key=it.key, uid=source.uid)
                after = self.state()
                assert {key: after[key] for key in before} == before
                assert after[it.key][2] == before[source.key][2]
                self.found_again += 1

    def align(self) -> None:
        """One click changes one registry."""
        for it in self.random.sample(self.registries(), len(self.registries())):
            source = services().relatives.source(access=self.access, registry=it)
            if source is None or not differs(source, it):
                continue
            before = self.state()
            services().relatives.align(access=self.access, key=it.key, uid=it.uid, source_uid=source.uid)
            after = self.state()
            assert {**after, it.key: None} == {**before, it.key: None}
            assert after[it.key][2] == after[source.key][2]
            self.aligned += 1
            return

    # What others do

    def outside(self) -> None:
        """Another program changes the password, or deletes a registry and makes another one of its name."""
        it = self.one()
        if it is None:
            return
        chance = self.random.random()
        if chance < 0.4:
            self.write_password(it, self.random.choice(PASSWORDS))
        elif chance < 0.7:
            self.write_anew(it)
        else:
            self.remove(it)

    def write_password(self, it: RegistrySecret, password: str) -> None:
        services().store.set_password(it.key, password, uid=it.uid)

    def write_anew(self, it: RegistrySecret) -> None:
        services().store.delete(it.key, uid=it.uid)
        services().store.create(
            read_draft(typed(it.name, it.namespace, password=self.random.choice(PASSWORDS)))
        )

    def remove(self, it: RegistrySecret) -> None:
        services().store.delete(it.key, uid=it.uid)

    def align_everything(self) -> None:
        """After it, every copy whose source is there has its digest. A copy of a copy takes another round."""
        for _ in range(len(self.namespaces) * len(NAMES) + 1):
            drifted = self.drifted()
            for it, source in drifted:
                now = services().relatives.source(access=self.access, registry=it)
                if now is not None and now.uid == source.uid:
                    services().relatives.align(
                        access=self.access, key=it.key, uid=it.uid, source_uid=source.uid
                    )
            if not drifted:
                return
        raise AssertionError("some copies are never aligned")

    def drifted(self) -> list[tuple[RegistrySecret, RegistrySecret]]:
        pairs = (
            (it, services().relatives.source(access=self.access, registry=it)) for it in self.registries()
        )
        return [(it, source) for it, source in pairs if source and differs(source, it)]
