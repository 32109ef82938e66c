"""A new secret from Harbor for a robot account: the registry and its copies get it in a run.

The console chooses the secret and seals it in the run before Harbor gets it. So it is not lost when anything fails
afterwards: the run tries again, by any process.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from registries.domain.access import Access
from registries.domain.registry import Credential, RegistrySecret
from registries.probe.harbor import HarborAccount, HarborRobots, new_secret
from registries.probe.policy import Policy
from registries.runs.rotation import Rotations
from registries.service.registries import Registries
from registries.service.tests import Tests


class HarborSecrets:
    """`policy_for` gives the rules of a connection to the registry of a credential, with its CA."""

    def __init__(
        self,
        registries: Registries,
        tests: Tests,
        rotations: Rotations,
        policy_for: Callable[[Credential], Policy],
    ) -> None:
        self._registries = registries
        self._tests = tests
        self._rotations = rotations
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
        credential = self._registries.with_password(
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
