"""`python -m registries.probe HOST --username U --password-stdin`: the connection test on a terminal. Imports
engine.py, policy.py, result.py, certificate.py and catalogue.py."""

import argparse
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from .catalogue import STEPS, WARNINGS, Text
from .certificate import CertificateFacts, TlsFacts
from .engine import DEFAULT_POLICY, probe
from .policy import Policy
from .result import Result

SUCCESS, FAILURE, USAGE = 0, 1, 2
_TOTAL = Text(
    "共 {ms} 毫秒，{requests} 个请求，{connections} 个连接",
    "{ms} ms, {requests} requests, {connections} connections",
)
_NO_PASSWORD = Text(
    "密码须经标准输入传入：加 --password-stdin", "the password comes on standard input: add --password-stdin"
)
_SHOWN = Text("服务器出示的证书：{subject}", "The server's certificate: {subject}")
_TO_TRUST = Text(
    "信任该 CA 即可通过（--json 中的 tls.caPem）：{subject}",
    "It would be trusted with this CA (tls.caPem of --json): {subject}",
)
_FACTS = (
    Text("颁发者 {issuer}", "issued by {issuer}"),
    Text("有效期 {not_before} 至 {not_after}", "valid from {not_before} to {not_after}"),
    Text("SHA-256 {sha256}", "SHA-256 {sha256}"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 for a success, 1 for a failure, 2 for wrong usage."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal in Latin-1 has no ✓ and no Chinese
    language = reader_language(os.environ)
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.password_stdin:
        parser.error(_NO_PASSWORD.of(language))
    password = _without_line_end(sys.stdin.buffer.read().decode("utf-8", errors="surrogateescape"))
    address = options.host
    if options.plain_http and "://" not in address:
        address = f"http://{address}"
    result = probe(address, options.username, password, _policy(options))
    if options.json:
        print(json.dumps(result.to_json(language), ensure_ascii=False, indent=2))
    else:
        print("\n".join(report(result, language)))
    return SUCCESS if result.ok else FAILURE


def reader_language(environment: Mapping[str, str]) -> str:
    """'zh' or 'en', from the first of LC_ALL, LC_MESSAGES and LANG that is set (POSIX, XBD 8.2)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "zh" if environment[name].lower().startswith("zh") else "en"
    return "en"


def report(result: Result, language: str) -> list[str]:
    """The lines for a human reader: the verdict, what to do, what the server said, and the steps."""
    lines = [f"{'✓' if result.ok else '✗'} {result.message(language)} [{result.reason}]"]
    lines.append(f"  {result.hint(language)}")
    if result.detail:
        lines.append(f"  {result.detail}")
    for warning in result.warnings:
        if warning != "password_outer_space":  # part of the hint already
            lines.append(f"  ! {WARNINGS[warning].of(language)}")
    for step in result.steps:
        mark = "✓" if step.ok else "✗"
        lines.append(f"  {mark} {step.milliseconds:9.1f} ms  {STEPS[step.name].of(language)}  {step.host}")
    lines += _certificates(result.tls, language) if result.tls else []
    total = _TOTAL.of(language)
    counts = {"requests": result.requests, "connections": result.connections}
    lines.append("  " + total.format(ms=round(result.duration_ms), **counts))
    return lines


def _certificates(facts: TlsFacts, language: str) -> list[str]:
    """The leaf, and the CA to trust if that is another certificate."""
    leaf = CertificateFacts(facts.subject, facts.issuer, facts.not_before, facts.not_after, facts.sha256)
    lines = [_SHOWN.of(language).format(subject=leaf.subject), *_facts(leaf, language)]
    if facts.ca:
        lines.append(_TO_TRUST.of(language).format(subject=facts.ca.subject))
        lines += _facts(facts.ca, language) if facts.ca != leaf else []
    return [f"  {line}" for line in lines]


def _facts(shown: CertificateFacts, language: str) -> list[str]:
    values = {**asdict(shown), "not_before": shown.not_before or "?", "not_after": shown.not_after or "?"}
    return ["  " + text.of(language).format(**values) for text in _FACTS]


def _policy(options: argparse.Namespace) -> Policy:
    policy = replace(
        DEFAULT_POLICY,
        ca_file=options.ca,
        skip_tls_verify=options.insecure,
        allow_loopback=options.allow_loopback,
    )
    return replace(policy, total_timeout=options.timeout) if options.timeout else policy


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m registries.probe",
        description="Test whether credentials open a container registry.",
        epilog="Exit status: 0 success, 1 failure, 2 wrong usage.",
    )
    parser.add_argument("host", metavar="HOST", help="host[:port] of the registry, docker.io for Docker Hub")
    parser.add_argument("--username", required=True, metavar="U")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    parser.add_argument(
        "--ca", type=_readable, metavar="FILE", help="PEM certificates to trust beside the system's"
    )
    parser.add_argument("--insecure", action="store_true", help="do not verify certificates")
    parser.add_argument("--plain-http", action="store_true", help="the same as http:// before HOST")
    parser.add_argument("--allow-loopback", action="store_true", help="allow addresses of this host")
    parser.add_argument("--timeout", type=_seconds, metavar="S", help="for the whole test; default 20")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _readable(path: str) -> str:
    try:
        with open(path, "rb"):
            return path
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from None


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 600:
        raise ValueError(text)
    return seconds


def _without_line_end(text: str) -> str:
    """One line end is echo's or the editor's; any more belong to the password."""
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


if __name__ == "__main__":
    sys.exit(main())
