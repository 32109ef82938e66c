"""WWW-Authenticate headers of real servers."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registries.probe.challenge import Challenge, parse_challenges

REALM = "https://auth.example.com/token"


def _one(line: str) -> Challenge:
    (challenge,) = parse_challenges([line])
    return challenge


@pytest.mark.parametrize(
    ("line", "scheme", "parameters"),
    [
        (f'Bearer realm="{REALM}",service="registry"', "bearer", {"realm": REALM, "service": "registry"}),
        (f'bEaReR REALM="{REALM}"', "bearer", {"realm": REALM}),
        ("BASIC realm=Nexus", "basic", {"realm": "Nexus"}),
        ("Basic", "basic", {}),
        (f"Bearer realm={REALM},service=x", "bearer", {"realm": REALM, "service": "x"}),
        ('Bearer realm = "a" , service\t=\t"b"', "bearer", {"realm": "a", "service": "b"}),
        ('Bearer realm="a" service="b"', "bearer", {"realm": "a", "service": "b"}),
        ('Bearer realm="",service=', "bearer", {"realm": "", "service": ""}),
        ('Bearer realm=,service="b"', "bearer", {"realm": "", "service": "b"}),
        ('Bearer realm="a,b=\\"c\\",d\\\\"', "bearer", {"realm": 'a,b="c",d\\'}),
        ('Bearer realm="first",realm="second"', "bearer", {"realm": "first"}),
        ('Bearer Realm="first",REALM="second"', "bearer", {"realm": "first"}),
        (', ,Bearer realm="a",,service="b",', "bearer", {"realm": "a", "service": "b"}),
        ('Bearer realm="a",service="cut off', "bearer", {"realm": "a"}),
        ('Bearer realm="a",service="cut off\\', "bearer", {"realm": "a"}),
        ('Basic realm="cut', "basic", {}),
        (
            f'Bearer realm="{REALM}",scope="repository:a/b:pull,push"',
            "bearer",
            {"realm": REALM, "scope": "repository:a/b:pull,push"},
        ),
    ],
)
def test_a_challenge_is_read(line: str, scheme: str, parameters: dict[str, str]) -> None:
    assert _one(line) == Challenge(scheme, parameters)


@pytest.mark.parametrize(
    "line",
    [
        'Basic realm="a", Bearer realm="b"',
        'Basic realm="a" , Bearer realm="b"',
        'Basic realm=a,Bearer realm="b"',
        'Basic realm="a" Bearer realm="b"',
    ],
)
def test_several_challenges_share_a_line(line: str) -> None:
    assert parse_challenges([line]) == [
        Challenge("basic", {"realm": "a"}),
        Challenge("bearer", {"realm": "b"}),
    ]


def test_each_line_stands_by_itself() -> None:
    lines = ['Bearer realm="cut', 'Basic realm="x"', "Negotiate"]
    assert [challenge.scheme for challenge in parse_challenges(lines)] == ["bearer", "basic", "negotiate"]


def test_a_token68_is_no_parameter() -> None:
    assert parse_challenges(["Negotiate YII=, NTLM TlRMTVNTUAAB==, Basic"]) == [
        Challenge("negotiate", token68="YII="),
        Challenge("ntlm", token68="TlRMTVNTUAAB=="),
        Challenge("basic"),
    ]


@pytest.mark.parametrize("line", ["", " ", ",", '"', "=", 'realm="a"', "@@@", "\x00", "中文"])
def test_what_is_no_challenge_yields_none(line: str) -> None:
    assert parse_challenges([line]) == []


TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~", min_size=1, max_size=12)
VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Basic", "Bearer", "Digest"]),
            st.lists(st.tuples(TOKEN, VALUE), min_size=1, max_size=4, unique_by=lambda pair: pair[0].lower()),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_what_a_careful_server_writes_is_read_back(written: list[tuple[str, list[tuple[str, str]]]]) -> None:
    def quote(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    line = ", ".join(
        scheme + " " + ", ".join(f"{name}={quote(value)}" for name, value in pairs)
        for scheme, pairs in written
    )
    assert parse_challenges([line]) == [
        Challenge(scheme.lower(), {name.lower(): value for name, value in pairs}) for scheme, pairs in written
    ]


BLANKS = st.text(" \t", max_size=3)
BARE = st.text("abcdefXYZ0189-._~/:?=&", min_size=1, max_size=20)


@given(
    st.lists(
        st.tuples(TOKEN, BARE, BLANKS, BLANKS), min_size=1, max_size=4, unique_by=lambda p: p[0].lower()
    ),
    st.data(),
)
def test_what_a_careless_server_writes_is_read_too(
    pairs: list[tuple[str, str, str, str]], data: st.DataObject
) -> None:
    """Unquoted values, spaces around the equals sign, any letter case, repeated names, empty elements."""
    scheme = data.draw(st.sampled_from(["bearer", "BEARER", "Bearer", "bEaReR"]))
    written = [f"{name}{before}={after}{value}" for name, value, before, after in pairs]
    again = [f"{name.upper()}=late" for name, *_ in data.draw(st.lists(st.sampled_from(pairs), max_size=2))]
    comma = data.draw(st.sampled_from([",", ", ", " , ", ",,", ", ,"]))
    parsed = parse_challenges([f"{scheme} " + comma.join([*written, *again])])
    assert parsed == [Challenge("bearer", {name.lower(): value for name, value, _, _ in pairs})]


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_follows_does_not_change_what_came_before(garbage: str, line: str) -> None:
    """Each line is parsed alone. The challenges before an error in a line count."""
    whole = 'Bearer realm="https://a/t",service="s"'
    expected = Challenge("bearer", {"realm": "https://a/t", "service": "s"})
    assert parse_challenges([garbage, whole, line])[len(parse_challenges([garbage])) :][:1] == [expected]
    (first, *_) = parse_challenges([f'{whole}, x="{garbage}'])
    assert {**first.parameters, **expected.parameters} == first.parameters


@given(st.lists(st.text(max_size=200), max_size=3))
@example(['Bearer realm="'])
@example(["Bearer realm=\\"])
def test_no_header_makes_the_parser_raise(lines: list[str]) -> None:
    for challenge in parse_challenges(lines):
        assert challenge.scheme == challenge.scheme.lower()


def test_only_so_much_is_read() -> None:
    assert len(parse_challenges(["Basic," * 100_000])) < 3000
    assert len(parse_challenges(["Basic"] * 100_000)) < 4000
    assert parse_challenges(["x" * 20_000, 'Basic realm="x"'])[1:] == []


@pytest.mark.parametrize("unit", ['a="', "a=b,", "a ", "Basic ", '"\\"', "a=", ",", "a b=c "])
def test_a_long_header_costs_linear_time(unit: str) -> None:
    """Measures CPU time, so other processes do not matter. It takes some hundredths of a second."""
    started = time.thread_time()
    parse_challenges(["Bearer " + unit * (65536 // len(unit))])
    assert time.thread_time() - started < 2.0
