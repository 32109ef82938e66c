"""The API server that other tests talk to: started, asked, and open to those it knows only."""

from tests.peers.api_server import ApiServer


def test_it_answers_those_it_knows(server: ApiServer) -> None:
    assert server.call("GET", "/version").body["major"] == "1"
    assert server.call("GET", "/api/v1/namespaces").status == 200


def test_a_user_without_a_role_may_nothing(server: ApiServer) -> None:
    assert server.call("GET", "/api/v1/namespaces", user="stranger").status == 403


def test_a_wrong_token_is_nobody(server: ApiServer) -> None:
    assert server.call("GET", "/api/v1/namespaces", user="nobody").status == 401


def test_a_deleted_namespace_goes_when_its_controller_lets_it(server: ApiServer) -> None:
    server.create_namespace("passing")

    server.finalize_namespace("passing")

    assert server.call("GET", "/api/v1/namespaces/passing").status == 404
