"""Who somebody is and what they may do, by the word of a real API server, with their own credentials.

What that server knows of roles lags behind what was written: it is waited for.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registries.cluster import personal
from registries.cluster.configuration import configuration
from registries.cluster.connection import Configuration, Connection
from registries.cluster.credential import LoginCredential
from registries.cluster.personal import SELF_REVIEW, Person
from registries.cluster.reviews import Held, held_by
from registries.domain.access import Permission, Role
from registries.domain.errors import Forbidden, Unavailable
from tests.peers.api_server import ApiServer, canary_token
from tests.peers.certificates import Authority, Pair
from tests.peers.cluster import Cluster
from tests.peers.scripted import Reply, json_reply, scripted, wait_for

ADMIN, VIEWER = Role.ADMIN.permissions, Role.VIEWER.permissions


@pytest.fixture
def target(cluster: Cluster, server: ApiServer) -> personal.ApiServer:
    cluster.bind("console", "registry-console-token-reviews")
    given = configuration(server.kubeconfig("console"))
    return personal.ApiServer(given, Connection(given))


@pytest.fixture
def held(target: personal.ApiServer) -> Iterator[Callable[[str], Held]]:
    with ThreadPoolExecutor(4) as threads:
        yield lambda user: held_by(
            target.connection(LoginCredential(token=canary_token(user))), ("team-a", "team-b"), threads
        )


def credential_of(pair: Pair) -> LoginCredential:
    return LoginCredential(certificate=pair.pem, key=pair.key_file.read_text())


def test_a_token_is_somebody(target: personal.ApiServer) -> None:
    assert target.identify(LoginCredential(token=canary_token("vic"))).name == "vic"


@pytest.mark.parametrize("token", ["nobody-token", "x.y.z"])
def test_a_wrong_token_is_nobody(target: personal.ApiServer, token: str) -> None:
    assert target.identify(LoginCredential(token=token)).name == ""


def test_a_certificate_is_whom_its_common_name_says(target: personal.ApiServer, server: ApiServer) -> None:
    assert target.identify(credential_of(server.client_authority.issue(common_name="omar"))).name == "omar"


def test_a_certificate_of_another_authority_is_nobody(target: personal.ApiServer, tmp_path: Path) -> None:
    assert target.identify(credential_of(Authority(tmp_path).issue(common_name="admin"))).name == ""


def test_an_expired_certificate_is_nobody(target: personal.ApiServer, server: ApiServer) -> None:
    assert target.identify(credential_of(server.client_authority.expired())).name == ""


def test_certificates_prove_nothing_to_a_server_that_answers_anybody(
    target: personal.ApiServer, server: ApiServer, cluster: Cluster
) -> None:
    """A server without a client CA takes any certificate, for nobody's; anonymous may ask here, so it looks alike."""
    mine = credential_of(server.client_authority.issue(common_name="omar"))
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    cluster.bind("system:anonymous", "system:basic-user")
    try:
        assert wait_for(lambda: target.identify(mine).name == "")
    finally:
        server.call("DELETE", f"{path}/system:anonymous-system:basic-user")
    assert wait_for(lambda: target.identify(mine).name == "omar")


def test_the_consoles_own_certificate_is_not_shown_for_people(server: ApiServer, tmp_path: Path) -> None:
    """An API server believes a certificate before a token: it would take everybody for the console."""
    admin = server.client_authority.issue(common_name="console")
    given = configuration(server.kubeconfig("console"))
    given.api_key = {}
    given.cert_file, given.key_file = str(admin.certificate_file), str(admin.key_file)
    target = personal.ApiServer(given, Connection(given))

    assert target.identify(LoginCredential(token=canary_token("vic"))).name == "vic"
    assert target.identify(LoginCredential(token="nobody-token")).name == ""


def test_a_console_that_may_not_review_tokens_says_so(server: ApiServer) -> None:
    given = configuration(server.kubeconfig("stranger"))

    with pytest.raises(Unavailable, match="tokenreviews_forbidden"):
        personal.ApiServer(given, Connection(given)).identify(LoginCredential(token=canary_token("vic")))


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        (json_reply({"status": {"userInfo": {"username": "vic", "uid": "7", "groups": []}}}, 201), "vic"),
        (json_reply({"status": {"userInfo": {"username": "system:anonymous"}}}, 201), ""),
        (json_reply({"kind": "Status", "code": 401}, 401), ""),
    ],
    ids=["somebody", "anonymous", "nobody"],
)
def test_a_newer_server_is_asked_one_question_and_not_by_the_console(reply: Reply, name: str) -> None:
    """As Kubernetes 1.28 and newer answer it; the server of the other tests is older."""
    with scripted(lambda request: reply) as server:
        given = Configuration(host=f"http://localhost:{server.port}")
        given.retries = False
        given.api_key = {"BearerToken": "Bearer console"}

        assert (
            personal.ApiServer(given, Connection(given)).identify(LoginCredential(token="of-vic")).name
            == name
        )

        assert [(it.path, it.authorization) for it in server.requests] == [(SELF_REVIEW, "Bearer of-vic")]


def test_a_server_that_is_not_there_is_not_a_wrong_token() -> None:
    given = Configuration(host="https://127.0.0.1:9")
    given.retries = False

    with pytest.raises(Unavailable, match="cluster_away"):
        personal.ApiServer(given, Connection(given)).identify(LoginCredential(token=canary_token("vic")))


def test_a_role_everywhere_is_held_everywhere(cluster: Cluster, held: Callable[[str], Held]) -> None:
    cluster.bind("olive", "image-admin")

    assert wait_for(lambda: held("olive") == Held(ADMIN, {}))


def test_a_role_in_one_namespace_is_held_there_only(cluster: Cluster, held: Callable[[str], Held]) -> None:
    cluster.empty("team-a", "team-b")
    cluster.bind("team-a-admin", "image-admin", "team-a")

    assert wait_for(lambda: held("team-a-admin") == Held(frozenset(), {"team-a": ADMIN}))
    assert held("stranger") == Held(frozenset(), {})


def test_more_in_one_namespace_than_everywhere(
    cluster: Cluster, server: ApiServer, held: Callable[[str], Held]
) -> None:
    cluster.empty("team-a", "team-b")
    cluster.bind("vic", "image-viewer")
    cluster.bind("vic", "image-operator", "team-b")
    more = Role.OPERATOR.permissions
    try:
        assert wait_for(lambda: held("vic") == Held(VIEWER, {"team-b": more}))
    finally:
        cluster.unbind("vic", "image-viewer")
        cluster.unbind("vic", "image-operator", "team-b")


def test_a_test_takes_patch_and_get(cluster: Cluster, server: ApiServer, held: Callable[[str], Held]) -> None:
    """One without the other is of no use: the verdict could not be written, or the password not be read."""
    cluster.empty("team-a", "team-b")
    sees, reads = {Permission.SEE, Permission.EDIT}, Role.OPERATOR.permissions
    rule = {"apiGroups": ["image.theriseunion.io"], "resources": ["registrysecrets"]}
    for name, verbs in (("blind-editor", ["list", "patch"]), ("reader-of-one", ["get"])):
        role = {"metadata": {"name": name}, "rules": [{**rule, "verbs": verbs}]}
        server.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", role)
    try:
        cluster.bind("stranger", "blind-editor", "team-a")
        assert wait_for(lambda: held("stranger") == Held(frozenset(), {"team-a": frozenset(sees)}))
        cluster.bind("stranger", "reader-of-one", "team-a")
        assert wait_for(lambda: held("stranger") == Held(frozenset(), {"team-a": reads}))
        cluster.unbind("stranger", "blind-editor", "team-a")
        cluster.bind("stranger", "blind-editor")
        whole = Held(frozenset(sees), {"team-a": frozenset({Permission.SEE, Permission.TEST})})
        assert wait_for(lambda: held("stranger") == whole)
    finally:
        for namespace in ("team-a", ""):
            cluster.unbind("stranger", "blind-editor", namespace)
        cluster.unbind("stranger", "reader-of-one", "team-a")


def test_a_role_that_is_taken_away_is_not_held_any_more(
    cluster: Cluster, held: Callable[[str], Held]
) -> None:
    cluster.empty("team-a")
    cluster.bind("omar", "image-operator", "team-a")
    assert wait_for(lambda: held("omar") != Held(frozenset(), {}))

    cluster.unbind("omar", "image-operator", "team-a")

    assert wait_for(lambda: held("omar") == Held(frozenset(), {}))


def test_a_credential_that_is_not_taken_holds_nothing_at_all(held: Callable[[str], Held]) -> None:
    with pytest.raises(Unavailable, match="cluster_token"):
        held("nobody")


def test_a_call_that_is_refused_names_the_role_and_one_without_a_session_ends_it(
    target: personal.ApiServer,
) -> None:
    told: list[bool] = []
    stranger = Person(target, 1, lambda: LoginCredential(token=canary_token("stranger")), told.append)
    nobody = Person(target, 2, lambda: LoginCredential(token="nobody-token"), told.append)
    path = "/apis/image.theriseunion.io/v1alpha1/namespaces/team-a/registrysecrets"

    with pytest.raises(Forbidden, match="image-admin"):
        stranger.call("POST", path, subject="team-a/x", body={})
    with pytest.raises(Unavailable, match="session_ended"):
        nobody.call("POST", path, subject="team-a/x", body={})

    assert told == [False, True]
