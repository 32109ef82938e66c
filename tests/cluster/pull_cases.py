"""The pods that cannot pull, and what a person does about each."""

from typing import Any

from registries.pull_secrets.explain import Code, Near
from tests.canary import CANARY
from tests.cluster.walking import ADD, BIND, COMMAND, PUBLIC, RESTART, Case, Json, Secret
from tests.peers.failing_pods import CONFIG
from tests.peers.failing_world import USER

RIGHT = {"username": USER, "password": CANARY}
WRONG = {"username": USER, "password": "wrong"}
ROLES = ("image-admin", "reader-of-secrets", "restarter-of-workloads")


def auths(host: str = "{private}", **entry: Any) -> Json:
    return {"auths": {host: entry or RIGHT}}


NO = Code.NO_SECRET
BOUND_AND_RESTARTED = ((NO, BIND), (NO, RESTART))
ADDED_AND_NAMED = ((Code.NO_MATCH, ADD), (Code.NO_MATCH, COMMAND))
INSTEAD = ((Code.SECRET_BROKEN, ADD), (Code.SECRET_BROKEN, COMMAND))
"""A registry, and its pull secret in the workload instead of the broken one."""


def theirs(content: Any, kind: str = CONFIG, **more: Any) -> dict[str, Any]:
    """The pod names a Secret that is not the console's."""
    return {"secrets": (("theirs", Secret(content, kind)),), "named": ("theirs",), **more}


def near(key: str, near: Near, **more: Any) -> Case:
    return Case(ADDED_AND_NAMED, near=near, **theirs(auths(key)), **more)


def hopeless(code: Code, image: str, **more: Any) -> Case:
    """A pod that no credential helps."""
    return Case(((code, ""),), image, kind="Pod", **more)


CASES = {
    "nothing-known": Case(((NO, ADD), *BOUND_AND_RESTARTED)),
    "known": Case(BOUND_AND_RESTARTED, registry="{private}"),
    "bound-later": Case(((NO, RESTART),), registry="{private}", bound=True),
    "daemons": Case(BOUND_AND_RESTARTED, registry="{private}", kind="DaemonSet"),
    "stateful": Case(BOUND_AND_RESTARTED, registry="{private}", kind="StatefulSet"),
    "job": Case(BOUND_AND_RESTARTED, registry="{private}", kind="Job"),
    "job-broken": Case(INSTEAD, kind="Job", **theirs(auths(auth="%%%"))),
    "job-other-host": Case(ADDED_AND_NAMED, kind="Job", **theirs(auths("x.example.com"))),
    "bare": Case(((NO, BIND), (NO, COMMAND)), registry="{private}", kind="Pod"),
    "bare-other-host": Case(ADDED_AND_NAMED, kind="Pod", **theirs(auths("x.example.com"))),
    "account": Case(((NO, COMMAND),), registry="{private}", account="builder"),
    "old-node": Case(BOUND_AND_RESTARTED, registry="{private}", node="old"),
    "init": Case(BOUND_AND_RESTARTED, registry="{private}", init=True),
    "beside-public": Case(BOUND_AND_RESTARTED, registry="{private}", more=PUBLIC),
    "two-causes": Case(
        BOUND_AND_RESTARTED, registry="{private}", more="{open}/shop/web:2", beside=(Code.IMAGE_MISSING,)
    ),
    "missing": Case(((Code.SECRET_MISSING, ADD),), named=("regcred",)),
    "missing-known": Case(((Code.SECRET_MISSING, COMMAND),), named=("gone",), registry="{private}"),
    "missing-stateful": Case(
        ((Code.SECRET_MISSING, COMMAND),), named=("gone",), registry="{private}", kind="StatefulSet"
    ),
    "missing-daemons": Case(
        ((Code.SECRET_MISSING, COMMAND),), named=("gone",), registry="{private}", kind="DaemonSet"
    ),
    "opaque": Case(((Code.SECRET_TYPE, ADD), (Code.SECRET_TYPE, COMMAND)), **theirs(auths(), "Opaque")),
    "unread": Case(
        ((Code.SECRET_UNREAD, ADD), (Code.SECRET_UNREAD, COMMAND)), reads=False, **theirs(auths(**WRONG))
    ),
    "auths-list": Case(INSTEAD, **theirs({"auths": []})),
    "no-base64": Case(INSTEAD, **theirs(auths(auth="%%%"))),
    "no-colon": Case(INSTEAD, **theirs(auths(auth="cm9ib3Q="))),
    "number": Case(INSTEAD, **theirs(auths(username=5, password="x"))),
    "broken-stateful": Case(INSTEAD, kind="StatefulSet", **theirs(auths(auth="%%%"))),
    "broken-daemons": Case(INSTEAD, kind="DaemonSet", **theirs(auths(auth="%%%"))),
    "broken-bare": Case(INSTEAD, kind="Pod", **theirs(auths(auth="%%%"))),
    "broken-newest": Case(INSTEAD, node="newest", **theirs(auths(auth="%%%"))),
    "broken-public": Case(((Code.SECRET_BROKEN, COMMAND),), PUBLIC, public=True, **theirs({"auths": []})),
    "broken-beside": Case(
        ((Code.SECRET_BROKEN, COMMAND),),
        secrets=(("theirs", Secret({"auths": []})),),
        named=("known", "theirs"),
        registry="{private}",
    ),
    "broken-ours": Case(
        ((Code.SECRET_BROKEN, COMMAND),),
        secrets=(("known", Secret({"auths": []})),),
        named=("known",),
        registry="{private}",
    ),
    "broken-account": Case(
        ((Code.SECRET_BROKEN, COMMAND),),
        PUBLIC,
        public=True,
        secrets=(("theirs", Secret({"auths": []})),),
        of_account=("theirs",),
    ),
    "broken-account-known": Case(
        ((Code.SECRET_BROKEN, COMMAND),),
        secrets=(("theirs", Secret({"auths": []})),),
        of_account=("theirs", "kept"),
        account="builder",
        registry="{private}",
        kind="StatefulSet",
    ),
    "account-others": Case(
        ((Code.NO_MATCH, COMMAND),),
        secrets=(("kept", Secret(auths("x.example.com"))),),
        of_account=("kept",),
        account="builder",
        registry="{private}",
    ),
    "port": near("localhost:1", Near.PORT),
    "no-port": near("localhost", Near.PORT),
    "case": near("LOCALHOST:{port}", Near.CASE),
    "image-case": hopeless(
        Code.NO_MATCH, "LOCALHOST:{port}/shop/web:1", near=Near.IMAGE_CASE, **theirs(auths())
    ),
    "image-case-bare": hopeless(NO, "LOCALHOST:{port}/shop/web:1"),
    "two-schemes": near("https://https://{private}", Near.SCHEME),
    "version": near("https://{private}/v2", Near.VERSION),
    "path": near("{private}/other", Near.PATH),
    "space": near(" {private}", Near.SPACE),
    "pattern": near("*.{private}", Near.PATTERN),
    "hub": Case(
        ((Code.NO_MATCH, ADD),),
        "docker.io/shop/web:1",
        near=Near.HUB,
        mends=False,
        **theirs(auths("hub.docker.com")),
    ),
    "empty": Case(ADDED_AND_NAMED, **theirs({"auths": {}})),
    "other-host": Case(ADDED_AND_NAMED, **theirs(auths("x.example.com"))),
    "mistyped": Case(((Code.NO_MATCH, "correct"),), registry="localhost:1", named=("known",), near=Near.PORT),
    "foreign": Case(
        ((Code.CREDENTIAL_FOREIGN, ADD), (Code.CREDENTIAL_FOREIGN, COMMAND)), **theirs(auths(**WRONG))
    ),
    "older-type": Case(
        ((Code.CREDENTIAL_FOREIGN, ADD), (Code.CREDENTIAL_FOREIGN, COMMAND)),
        **theirs({"{private}": WRONG}, "kubernetes.io/dockercfg"),
    ),
    "wrong-password": Case(
        ((Code.CREDENTIAL_BAD, "password"),),
        registry="{private}",
        password="wrong",
        tested=True,
        named=("known",),
    ),
    "wrong-password-second": Case(
        ((Code.CREDENTIAL_BAD, "password"),),
        secrets=(("theirs", Secret(auths(**WRONG))),),
        named=("theirs", "known"),
        registry="{private}",
        password="wrong",
        tested=True,
    ),
    "wrong-user": Case(
        ((Code.CREDENTIAL_BAD, "password"),),
        registry="{private}",
        username="nobody",
        tested=True,
        named=("known",),
        mends=False,
    ),
    "untested": Case(
        ((Code.CREDENTIAL_UNTESTED, "test"), (Code.CREDENTIAL_BAD, "password")),
        registry="{private}",
        password="wrong",
        named=("known",),
    ),
    "denied": hopeless(Code.DENIED, "{token}/shop/web:1", registry="{token}", tested=True, named=("known",)),
    "denied-foreign": hopeless(Code.DENIED, "{token}/shop/web:1", **theirs(auths("{token}"))),
    "tag": hopeless(Code.IMAGE_MISSING, "{private}/shop/web:2", registry="{private}", named=("known",)),
    "repository": hopeless(Code.IMAGE_MISSING, "{private}/none/x:1", registry="{private}", named=("known",)),
    "public-tag": hopeless(Code.IMAGE_MISSING, "{open}/shop/web:2"),
    "platform": hopeless(Code.PLATFORM_MISSING, "{private}/shop/arm:1", **theirs(auths())),
    "chart": hopeless(Code.NOT_AN_IMAGE, "{chart}/a:1"),
    "node-full": hopeless(Code.NODE_SPACE, "full.example.com/a:1"),
    "unknown-ca": hopeless(Code.CERTIFICATE, "{unknown-ca}/a:1"),
    "expired": hopeless(Code.CERTIFICATE, "{expired}/a:1"),
    "wrong-name": hopeless(Code.CERTIFICATE, "{wrong-name}/a:1"),
    "http": hopeless(Code.PLAIN_HTTP, "{http}/a:1"),
    "no-host": hopeless(Code.NETWORK, "registry.invalid/a:1"),
    "refused": hopeless(Code.NETWORK, "{nobody}/a:1"),
    "timeout": hopeless(Code.NETWORK, "slow.example.com/a:1"),
    "rate-limit": hopeless(Code.RATE_LIMIT, "{busy}/a:1"),
    "node-limit": hopeless(Code.NODE_LIMIT, "busy.example.com/a:1"),
    "ill": hopeless(Code.SERVER, "{ill}/a:1"),
    "page": hopeless(Code.NOT_A_REGISTRY, "{page}/a:1"),
    "mirror": hopeless(Code.MIRROR, "shop/web:1"),
    "name": hopeless(Code.INVALID_NAME, "Shop/Web:1"),
    "signature": hopeless(Code.SIGNATURE, "signed.example.com/a:1"),
    "never": hopeless(Code.NEVER_PULLED, PUBLIC, policy="Never"),
    "old-node-unknown": hopeless(Code.UNKNOWN, "{open}/shop/web:2", node="old"),
    "changed-since": hopeless(
        Code.CREDENTIAL_GOOD, "{changing}/a:1", registry="{changing}", tested=True, named=("known",)
    ),
}
