"""A new secret from Harbor for a robot account, or a second account: the registry and its copies get it in a run.

A new secret of the same account is chosen by the console and sealed in the run before Harbor gets it. The run is under
way then, so the secret is not lost when anything fails afterwards: any process tries again. Without an answer of
Harbor, a test tells which secret is right, and both are kept until one does. The secret of a second account is chosen
by Harbor. Until the run has it, the first account still works, so nothing is lost with it. The audit log has its name
before Harbor is asked: a process that dies meanwhile leaves no account that nobody knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.utils import timezone

from registries.audit.action import IN_DOUBT, OK, Action
from registries.audit.log import AuditLog
from registries.domain.access import Access
from registries.domain.errors import Conflict, Problem
from registries.domain.registry import Credential, RegistrySecret
from registries.probe.harbor import HarborAccount, HarborRobots, new_secret
from registries.probe.harbor_robot import HarborError, HarborProblem
from registries.probe.policy import Policy
from registries.runs.rotation import Rotations
from registries.service.passwords import Passwords
from registries.service.tests import Tests, Typed


@dataclass(eq=False)
class HarborSecrets:
    """`policy_for` gives the rules of a connection to the registry of a credential, with its CA."""

    _passwords: Passwords
    _tests: Tests
    _rotations: Rotations
    _audit: AuditLog
    _policy_for: Callable[[Credential], Policy]

    def begin(
        self,
        *,
        access: Access,
        registries: Sequence[RegistrySecret],
        generation: str,
        account: HarborAccount,
        second: bool,
    ) -> UUID:
        """Gives the robot account of the first registry a new secret at Harbor, and starts the run that stores it. With
        `second`, creates an account beside it with the same permissions, and leaves it as it is: another user name
        takes the right to delete and to create.

        Waits for Harbor. HarborError when nothing was changed; the errors of a test of typed values and those of
        Rotations.begin, before anything was changed. It counts as a test of the person. Without a run, a second account
        is deleted; HarborError `left_over` if that fails.
        """
        self._rotations.runs.require_share(access)
        first, secret = registries[0], new_secret()
        for it in registries if second else ():
            self._rotations.replacement.require(access=access, key=it.key)
        _, credential = self._passwords.with_password(
            access=access, key=first.key, uid=first.uid, password=secret
        )
        if generation != first.generation:
            raise Conflict(str(first.key), Problem.CHANGED)
        self._tests.admit_trial(access=access, typed=Typed(first.key, credential, uid=first.uid))
        begin = partial(self._rotations.begin, access=access, registries=registries, generation=generation)
        policy = self._policy_for(credential)
        with HarborRobots(credential.address, account, policy) as harbor:
            if second:
                return self._second(access, first, harbor, credential.username, begin)
            robot = harbor.find(credential.username)
            return begin(
                changes={"password": secret},
                sealed=lambda: harbor.set_secret(robot, secret),
                within=timedelta(seconds=policy.total_timeout),
            )

    def _second(
        self,
        access: Access,
        first: RegistrySecret,
        harbor: HarborRobots,
        name: str,
        begin: Callable[..., UUID],
    ) -> UUID:
        def note(word: str, robot: str, outcome: str = OK) -> None:
            text = f"{word} {robot} {name}"
            self._audit.record(
                access, Action.PASSWORD, key=first.key, uid=first.uid, note=text, outcome=outcome
            )

        try:
            robot = harbor.second(name, timezone.localdate(), partial(note, "asked"))
        except HarborError as error:
            if error.problem is HarborProblem.UNCERTAIN:
                note("robot", error.robot, IN_DOUBT)
            raise
        note("robot", robot.name)
        try:
            changes = {"username": robot.name, "password": robot.secret}
            return begin(changes=changes, robots=(robot.name, name))
        except BaseException as error:
            if not harbor.discard(robot.number):
                raise HarborError(HarborProblem.LEFT_OVER, robot.name) from error
            raise
