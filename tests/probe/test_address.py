"""Addresses and credentials as operators type them: which are accepted, which are refused, and with which code."""

import socket
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registries.addresses import is_ip
from registries.probe import AddressError, CredentialsError, check_credentials, parse_address
from registries.probe.remarks import ADDRESS_PROBLEMS, CREDENTIAL_PROBLEMS


@pytest.mark.parametrize(
    ("typed", "canonical", "url"),
    [
        ("harbor.example.com", "harbor.example.com", "https://harbor.example.com"),
        ("harbor.example.com:8443", "harbor.example.com:8443", "https://harbor.example.com:8443"),
        ("harbor.example.com:443", "harbor.example.com:443", "https://harbor.example.com:443"),
        ("https://harbor.example.com", "harbor.example.com", "https://harbor.example.com"),
        ("HTTPS://Harbor.Example.COM", "harbor.example.com", "https://harbor.example.com"),
        ("http://harbor.example.com:5000", "harbor.example.com:5000", "http://harbor.example.com:5000"),
        ("  harbor.example.com\n", "harbor.example.com", "https://harbor.example.com"),
        ("\ufeff harbor.example.com \ufeff", "harbor.example.com", "https://harbor.example.com"),
        ("harbor.example.com.", "harbor.example.com", "https://harbor.example.com"),
        ("harbor.example.com.:5000", "harbor.example.com:5000", "https://harbor.example.com:5000"),
        ("localhost:5000", "localhost:5000", "https://localhost:5000"),
        ("registry", "registry", "https://registry"),
        ("https:5000", "https:5000", "https://https:5000"),
        ("r3---sn.example.com", "r3---sn.example.com", "https://r3---sn.example.com"),
        ("192.168.1.10:5000", "192.168.1.10:5000", "https://192.168.1.10:5000"),
        ("2001:DB8::1", "[2001:db8::1]", "https://[2001:db8::1]"),
        ("[2001:db8:0:0::1]", "[2001:db8::1]", "https://[2001:db8::1]"),
        ("[::1]:5000", "[::1]:5000", "https://[::1]:5000"),
        ("http://[::ffff:10.0.0.1]:80", "[::ffff:a00:1]:80", "http://[::ffff:a00:1]:80"),
        ("bücher.example", "xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("镜像。例子。中国", "xn--o1q148n.xn--fsqu00a.xn--fiqs8s", None),
        ("ＨＡＲＢＯＲ.example.com", "harbor.example.com", "https://harbor.example.com"),
        ("1.2.3.example", "1.2.3.example", "https://1.2.3.example"),
        ("0xcafe.example", "0xcafe.example", "https://0xcafe.example"),
    ],
)
def test_an_address_is_understood(typed: str, canonical: str, url: str | None) -> None:
    address = parse_address(typed)
    assert address.canonical == canonical
    assert url is None or address.registry_url == url
    assert not address.warnings


@pytest.mark.parametrize(
    "typed",
    [
        "docker.io",
        "index.docker.io",
        "hub.docker.com",
        "registry.hub.docker.com",
        "registry-1.docker.io",
        "www.docker.com",
        "https://index.docker.io/v1/",
        "Docker.IO.",
    ],
)
def test_docker_hubs_names_mean_one_registry(typed: str) -> None:
    address = parse_address(typed)
    assert address.is_docker_hub
    assert address.canonical == "docker.io"
    assert address.registry_url == "https://registry-1.docker.io"
    assert address.origin == "registry-1.docker.io:443"


@pytest.mark.parametrize("typed", ["docker.io:443", "my.docker.io", "docker.io.example.com", "docker.com"])
def test_only_docker_hubs_exact_names_mean_docker_hub(typed: str) -> None:
    assert not parse_address(typed).is_docker_hub


def test_docker_hub_is_never_spoken_to_in_plain_text() -> None:
    address = parse_address("http://docker.io")
    assert not address.plain_http
    assert address.registry_url == "https://registry-1.docker.io"
    assert address.warnings == ("docker_hub_https",)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v2", "/v2/"])
def test_a_harmless_path_is_ignored_in_silence(path: str) -> None:
    assert parse_address(f"https://harbor.example.com{path}").warnings == ()


@pytest.mark.parametrize("path", ["/library", "/v2/library/nginx", "//", "/v3", "/team@a", "/a:b"])
def test_a_path_is_ignored_with_a_warning(path: str) -> None:
    address = parse_address(f"harbor.example.com:8443{path}")
    assert address.canonical == "harbor.example.com:8443"
    assert address.warnings == ("path_ignored",)


def test_only_a_typed_scheme_opts_in_to_plain_text() -> None:
    assert parse_address("http://harbor.example.com").plain_http
    assert not parse_address("harbor.example.com:80").plain_http
    assert not parse_address("localhost:5000").plain_http


def test_the_same_registry_has_the_same_origin() -> None:
    assert parse_address("a.example").origin == parse_address("A.EXAMPLE:443").origin
    assert parse_address("http://a.example").origin == "a.example:80"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("https://", "empty"),
        ("http:///v2/", "empty"),
        (":5000", "empty"),
        (".", "empty"),
        ("har bor.example.com", "whitespace_inside"),
        ("harbor.example.com\nother.example.com", "whitespace_inside"),
        ("harbor\u3000.example.com", "whitespace_inside"),
        ("harbor\u00a0.example.com", "whitespace_inside"),
        ("harbor.example.com/a b", "whitespace_inside"),
        ("docker login harbor.example.com -u admin -p secret", "whole_command"),
        ("echo secret | docker login --password-stdin harbor.example.com", "whole_command"),
        ("sudo nerdctl login -u 'robot$team+ci' harbor.example.com", "whole_command"),
        ("docker pull harbor.example.com/project/app:1.0", "whole_command"),
        ("docker.example.com harbor.example.com", "whitespace_inside"),
        ("harbor\u200b.example.com", "control_character"),
        ("harbor\u202e.example.com", "control_character"),
        ("harbor\x00.example.com", "control_character"),
        ("harbor\u00ad.example.com", "control_character"),
        ("har\ufeffbor.example.com", "control_character"),
        ("harbor\ud800.example.com", "control_character"),
        ("harbor.example.com\\v2", "backslash"),
        ("harbor.example.com?x=1", "query_or_fragment"),
        ("harbor.example.com/v2/#top", "query_or_fragment"),
        ("ftp://harbor.example.com", "bad_scheme"),
        ("oci://harbor.example.com", "bad_scheme"),
        ("https:harbor.example.com", "bad_scheme"),
        ("http:/harbor.example.com", "bad_scheme"),
        ("admin@harbor.example.com", "user_info"),
        ("https://admin:secret@harbor.example.com", "user_info"),
        ("harbor.example.com：8443", "full_width"),
        ("https：//harbor.example.com", "full_width"),
        ("harbor.example.com／v2", "full_width"),
        ("fe80::1%eth0", "zone_id"),
        ("[fe80::1%25eth0]:5000", "zone_id"),
        ("my_registry:5000", "underscore"),
        ("-harbor.example.com", "bad_label"),
        ("harbor-.example.com", "bad_label"),
        ("harbor..example.com", "bad_label"),
        (".harbor.example.com", "bad_label"),
        ("harbor.example.com..", "bad_label"),
        ("harbor!.example.com", "bad_label"),
        ("harbor%2eexample.com", "bad_label"),
        ("*.example.com", "bad_label"),
        ("xn--a.example", "bad_label"),
        ("a" * 64 + ".example", "too_long"),
        (".".join(["a" * 62] * 5), "too_long"),
        ("a" * 3000, "too_long"),
        ("harbor.example.com:", "bad_port"),
        ("harbor.example.com:0", "bad_port"),
        ("harbor.example.com:65536", "bad_port"),
        ("harbor.example.com:https", "bad_port"),
        ("harbor.example.com:-1", "bad_port"),
        ("harbor.example.com:٤٤٣", "bad_port"),
        ("[::1]5000", "bad_port"),
        ("[::1]:", "bad_port"),
        ("127.1", "bad_ip"),
        ("2130706433", "bad_ip"),
        ("0x7f000001", "bad_ip"),
        ("127.0.0.0x1", "bad_ip"),
        ("127.000.000.001", "bad_ip"),
        ("256.1.1.1", "bad_ip"),
        ("1.2.3.4.5", "bad_ip"),
        ("①②⑦.①", "bad_ip"),
        ("[::1", "bad_ip"),
        ("[harbor.example.com]", "bad_ip"),
        ("1::2::3", "bad_ip"),
        ("a:b:c", "bad_ip"),
    ],
)
def test_an_address_is_refused_with_the_word_for_it(typed: str, problem: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(typed)
    assert caught.value.problem == problem
    for language in ("zh", "en"):
        assert ADDRESS_PROBLEMS[problem].of(language).format(part=caught.value.part)


def test_what_maps_to_an_ip_address_is_one() -> None:
    assert parse_address("①②⑦.⓪.⓪.①").host == "127.0.0.1"
    assert is_ip(parse_address("①②⑦.⓪.⓪.①").host)


def test_a_password_typed_into_the_address_is_not_repeated() -> None:
    with pytest.raises(AddressError) as caught:
        parse_address("https://admin:canary-password@harbor.example.com")
    assert "canary" not in repr(caught.value) + str(caught.value) + caught.value.part


@given(st.text(max_size=80))
def test_any_text_is_understood_or_refused_by_name(text: str) -> None:
    problem = None
    try:
        address = parse_address(text)
    except AddressError as error:
        problem = error.problem
    if problem is not None:
        assert problem in ADDRESS_PROBLEMS
        return
    assert address.canonical.isascii()
    assert address.canonical == address.canonical.lower()
    assert parse_address(address.canonical).canonical == address.canonical


NUMBERS = st.sampled_from(
    ["0", "1", "7", "9", "x", "X", "a", "f", ".", "０", "．", "①", "127", "0x7f", "010"]
)


@given(st.lists(NUMBERS, min_size=1, max_size=9).map("".join), st.sampled_from(["", ":80", ".", "/"]))
@example("0x7f000001", "")
@example("0x7f.1", "")
@example("0177.0.0.1", "")
@example("127.0.0.1", "")
def test_no_odd_spelling_of_an_ip_address_passes_for_a_name(name: str, tail: str) -> None:
    """inet_aton(3), and so getaddrinfo(3), accepts unusual spellings of IP addresses. Each of them is refused here,
    or read as an IP address."""
    try:
        address = parse_address(name + tail)
    except AddressError:
        return
    try:
        meant = socket.inet_ntoa(socket.inet_aton(address.host))
    except OSError:
        assert not is_ip(address.host)
        return
    assert is_ip(address.host)
    assert address.host == meant


@given(
    st.lists(st.text(string.ascii_letters + string.digits, min_size=1, max_size=20), min_size=1, max_size=4),
    st.integers(1, 65535) | st.none(),
)
def test_every_plain_host_and_port_survives(labels: list[str], port: int | None) -> None:
    host = ".".join([*labels, "example"])
    address = parse_address(host if port is None else f"{host}:{port}")
    assert (address.host, address.port) == (host.lower(), port)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("admin", "secret"),
        ("robot$team+ci", "x"),
        ("_json_key", '{\n\t"type": "service_account"\r\n}'),
        ("<token>", "eyJ.abc"),
        ("张三", "密码 with spaces "),
        ("admin", " "),
    ],
)
def test_credentials_are_accepted(username: str, password: str) -> None:
    check_credentials(username, password)


@pytest.mark.parametrize(
    ("username", "password", "field", "problem"),
    [
        ("", "x", "username", "username_empty"),
        ("  ", "x", "username", "username_empty"),
        ("a:b", "x", "username", "username_colon"),
        ("a\nb", "x", "username", "username_control_character"),
        ("a\x7fb", "x", "username", "username_control_character"),
        ("a\ud800", "x", "username", "username_not_text"),
        ("a", "", "password", "password_empty"),
        ("a", "x\x00y", "password", "password_control_character"),
        ("a", "x\x1b[0m", "password", "password_control_character"),
        ("a", "x\udfff", "password", "password_not_text"),
    ],
)
def test_credentials_are_refused_with_the_word_for_it(
    username: str, password: str, field: str, problem: str
) -> None:
    with pytest.raises(CredentialsError) as caught:
        check_credentials(username, password)
    assert (caught.value.field, caught.value.problem) == (field, problem)
    assert CREDENTIAL_PROBLEMS[problem].zh
    assert CREDENTIAL_PROBLEMS[problem].en
