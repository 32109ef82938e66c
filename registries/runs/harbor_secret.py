"""A new secret from Harbor for a robot account, or a second account: the registry and its copies get it in a run.

A new secret of the same account is chosen by the console and sealed in the run before Harbor gets it. So it is not lost
when anything fails afterwards: the run tries again, by any process. The secret of a second account is chosen by Harbor.
Until the run has it, the first account still works, so nothing is lost with it.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.utils import timezone

from registries.audit.action import ROBOT, Action
from registries.audit.log import AuditLog
from registries.domain.access import Access
from registries.domain.errors import Conflict, Problem
from registries.domain.registry import Credential, RegistrySecret
from registries.probe.harbor import HarborAccount, HarborError, HarborProblem, HarborRobots, new_secret
from registries.probe.policy import Policy
from registries.runs.rotation import Rotations
from registries.service.passwords import Passwords
from registries.service.tests import Tests


class HarborSecrets:
    """`policy_for` gives the rules of a connection to the registry of a credential, with its CA."""

    def __init__(
        self,
        passwords: Passwords,
        tests: Tests,
        rotations: Rotations,
        audit: AuditLog,
        policy_for: Callable[[Credential], Policy],
    ) -> None:
        self._passwords = passwords
        self._tests = tests
        self._rotations = rotations
        self._audit = audit
        self._policy_for = policy_for

    def renew(
        self,
        *,
        access: Access,
        registries: Sequence[RegistrySecret],
        generation: str,
        account: HarborAccount,
    ) -> UUID:
        """Gives the robot account of the first registry a new secret at Harbor, and starts the run that stores it.

        Waits for Harbor. HarborError when nothing was changed; the errors of a test of typed values and those of
        Rotations.begin, before anything was changed. It counts as a test of the person.
        """
        first, secret = registries[0], new_secret()
        credential = self._passwords.with_password(
            access=access, key=first.key, uid=first.uid, password=secret
        )
        self._tests.admit_trial(access=access, namespace=first.namespace, credential=credential)
        with HarborRobots(credential.address, account, self._policy_for(credential)) as harbor:
            robot = harbor.find(credential.username)
            return self._rotations.begin(
                access=access,
                registries=registries,
                changes={"password": secret},
                generation=generation,
                sealed=lambda: harbor.set_secret(robot, secret),
            )

    def second(
        self,
        *,
        access: Access,
        registries: Sequence[RegistrySecret],
        generation: str,
        account: HarborAccount,
    ) -> UUID:
        """Creates a robot account beside the one of the first registry at Harbor, with the same permissions, and
        starts the run that stores its name and its secret. The first account stays as it is.

        Another user name takes the right to delete and to create. The errors are those of `renew`. Without a run, the
        new account is deleted; HarborError `left_over` if that fails.
        """
        first = registries[0]
        for it in registries:
            self._rotations.require_replacement(access=access, key=it.key)
        credential = self._passwords.with_password(
            access=access, key=first.key, uid=first.uid, password=new_secret()
        )
        if generation != first.generation:
            raise Conflict(str(first.key), Problem.CHANGED)
        self._tests.admit_trial(access=access, namespace=first.namespace, credential=credential)
        with HarborRobots(credential.address, account, self._policy_for(credential)) as harbor:
            robot = harbor.second(credential.username, timezone.localdate())
            note = f"{ROBOT}{robot.name} {credential.username}"
            self._audit.record(access, Action.PASSWORD, key=first.key, uid=first.uid, note=note)
            try:
                return self._rotations.begin(
                    access=access,
                    registries=registries,
                    changes={"username": robot.name, "password": robot.secret},
                    generation=generation,
                )
            except BaseException as error:
                if not harbor.discard(robot.number):
                    raise HarborError(HarborProblem.LEFT_OVER, robot.name) from error
                raise
