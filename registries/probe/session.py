"""What the parts of one probe share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .answer import Answer
from .credentials import Credentials
from .endpoint import Endpoint
from .fault import Fault
from .policy import Policy
from .reason import Reason
from .scrubber import Scrubber
from .trace import Trace
from .transport import PING_BODY, Transport

if TYPE_CHECKING:
    from .realm import Realm

MOST_REDIRECTS = 3


@dataclass
class ProbeSession:
    """One probe under way. `base` is the registry's /v2/ URL; an allowed redirect changes it, and `moved` says that
    it led to another port. `warnings` holds codes of remarks.WARNINGS. `token_host` is set once the address of a
    realm was judged and allowed; `unjudged` has the realms (host:port) that were only read. `node` is a
    NodeView, with the HTTP status `node_status`. `realm` is the token service of the log-in."""

    base: Endpoint
    credentials: Credentials
    policy: Policy
    transport: Transport
    trace: Trace
    scrubber: Scrubber
    warnings: list[str] = field(default_factory=list)
    token_host: str | None = None
    unjudged: set[str] = field(default_factory=set)
    moved: bool = False
    node: str | None = None
    node_status: int = 0
    realm: "Realm | None" = None

    def get(self, authorization: str | None = None) -> Answer:
        """`GET /v2/`, with or without an Authorization header."""
        return self.send("GET", self.base, authorization)

    def send(
        self,
        method: str,
        at: Endpoint,
        authorization: str | None,
        accept: str = "*/*",
        limit: int = PING_BODY,
    ) -> Answer:
        """One request to the registry. The password does not follow a redirect to another port, which may be somebody
        else's."""
        if self.moved and authorization == self.credentials.basic:
            raise Fault(Reason.REDIRECT_BLOCKED, cause="redirect_port")
        return self.transport.send(
            method, at, authorization=authorization, headers={"Accept": accept}, limit=limit
        )

    def follow(self, method: str, at: Endpoint, authorization: str | None, accept: str, limit: int) -> Answer:
        """The same, with redirects on the same origin."""
        for _ in range(MOST_REDIRECTS):
            answer = self.send(method, at, authorization, accept, limit)
            target = answer.redirect
            if target is None or target.origin != at.origin:
                return answer
            at = target
        return answer

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step at the registry."""
        with self.trace.step(name, self.base.netloc):
            yield
