"""`python -m registries.probe HOST --username U --password-stdin`: the connection test on a terminal."""

import argparse
import io
import json
import math
import os
import re
import ssl
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .certificate import CertificateFacts, ServerCertificates
from .engine import DEFAULT_POLICY, probe
from .image import UPLINK, ImageQuery, ImageResult
from .policy import Policy
from .remarks import STEPS, WARNINGS
from .result import Result
from .text import Text

SUCCESS, FAILURE, USAGE = 0, 1, 2
_TOTAL = Text(
    "共 {ms} 毫秒，{requests} 个请求，{connections} 个连接",
    "{ms} ms, {requests} requests, {connections} connections",
)
_NO_PASSWORD = Text(
    "密码须经标准输入传入：加 --password-stdin", "the password comes on standard input: add --password-stdin"
)
_HTTPS_AND_PLAIN = Text(
    "https:// 与 --plain-http 互相矛盾：去掉其中一个",
    "https:// and --plain-http contradict each other: leave one out",
)
_NO_CERTIFICATE = Text("{path}：不是可读取的 PEM 证书文件", "{path}: no PEM certificates that can be read")
_NO_SECONDS = Text(
    "{text}：应为大于 0、不超过 {most} 的秒数", "{text}: not a number of seconds above 0 and up to {most}"
)
_NO_IMAGE = Text(
    "{text}：应为不含主机的镜像名，例如 project/app:1.0",
    "{text}: not an image without its host, such as project/app:1.0",
)
_PULLS = Text("{hours} 小时内剩余拉取次数：{left}/{limit}", "pulls left in {hours} h: {left}/{limit}")
_NO_RATE = Text("{text}：应为大于 0 的 Mbit/s", "{text}: not a number of Mbit/s above 0")
_IMAGE = re.compile(
    r"(?P<repository>[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[a-f0-9]{64}))?"
)
_MOST_SECONDS = 600
_CONNECT_SHARE = 4
"""A fourth of the time for the whole test is for connecting, as by default."""
_SHOWN = Text("服务器出示的证书：{subject}", "The server's certificate: {subject}")
_TO_TRUST = Text(
    "信任该 CA 即可通过（--json 中的 tls.caPem）：{subject}",
    "It would be trusted with this CA (tls.caPem of --json): {subject}",
)
_FACTS = (
    Text("颁发者 {issuer}", "issued by {issuer}"),
    Text("有效期 {notBefore} 至 {notAfter}", "valid from {notBefore} to {notAfter}"),
    Text("SHA-256 {sha256}", "SHA-256 {sha256}"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. The exit status is 0 for a success, 1 for a failure, 2 for wrong usage."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a Latin-1 terminal cannot show ✓ or Chinese
    language = reader_language(os.environ)
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.password_stdin:
        parser.error(_NO_PASSWORD.of(language))
    password = _without_line_end(sys.stdin.buffer.read().decode("utf-8", errors="surrogateescape"))
    images = [options.image] if options.image else []
    result = probe(_address(options, parser, language), options.username, password, _policy(options), *images)
    if options.json:
        print(json.dumps(result.to_json(language, options.uplink), ensure_ascii=False, indent=2))
    else:
        print("\n".join(report(result, language, options.uplink)))
    fine = result.ok and (result.image is None or result.image.ok)
    return SUCCESS if fine else FAILURE


def reader_language(environment: Mapping[str, str]) -> str:
    """'zh' or 'en', from the first of LC_ALL, LC_MESSAGES and LANG that is set (POSIX, XBD 8.2)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return "zh" if environment[name].lower().startswith("zh") else "en"
    return "en"


def report(result: Result, language: str, uplink: float = UPLINK) -> list[str]:
    """The lines for a human reader: the verdict, what to do, the server's message, and the steps. Pulls are timed at
    `uplink` Mbit/s."""
    lines = [f"{'✓' if result.ok else '✗'} {result.message(language)} [{result.reason}]"]
    lines.append(f"  {result.hint(language)}")
    if result.detail:
        lines.append(f"  {result.detail}")
    if result.node:
        lines.append(f"  ! {result.node_message(language)}")
    for warning in result.warnings:
        if not warning.startswith("password_"):  # the hint contains it
            lines.append(f"  ! {WARNINGS[warning].of(language)}")
    for step in result.steps:
        mark = "✓" if step.ok else "✗"
        lines.append(f"  {mark} {step.milliseconds:9.1f} ms  {STEPS[step.name].of(language)}  {step.host}")
    lines += _image_lines(result.image, language, uplink) if result.image else []
    lines += _certificates(result.tls, language) if result.tls else []
    total = _TOTAL.of(language)
    counts = {"requests": result.requests, "connections": result.connections}
    lines.append("  " + total.format(ms=round(result.duration_ms), **counts))
    return lines


def _image_lines(image: ImageResult, language: str, uplink: float) -> list[str]:
    """The answer about the image, what to do, its platforms with sizes and the time of a pull, and the pulls left."""
    lines = [f"{'✓' if image.ok else '✗'} {image.image}: {image.message(language)} [{image.reason}]"]
    lines += [f"  {text}" for text in (image.hint(language), image.note_text(language)) if text]
    for platform in image.platforms:
        minutes = platform.minutes(uplink)
        size = f"{platform.size or 0:>14,} B" if minutes is not None else f"{'?':>16}"
        lines.append(f"{size}  {platform.name}" + (f"  {minutes:.1f} min" if minutes is not None else ""))
    if image.quota:
        quota, hours = image.quota, round(image.quota.seconds / 3600)
        lines.append("  " + _PULLS.of(language).format(left=quota.remaining, limit=quota.limit, hours=hours))
    return [f"  {line}" for line in lines]


def _certificates(shown: ServerCertificates, language: str) -> list[str]:
    """The leaf, and the CA to trust if that is another certificate."""
    lines = [_SHOWN.of(language).format(subject=shown.leaf.subject), *_facts(shown.leaf, language)]
    if shown.ca:
        lines.append(_TO_TRUST.of(language).format(subject=shown.ca.subject))
        lines += _facts(shown.ca, language) if shown.ca != shown.leaf else []
    return [f"  {line}" for line in lines]


def _facts(facts: CertificateFacts, language: str) -> list[str]:
    values = {name: value or "?" for name, value in facts.to_json().items()}
    return ["  " + text.of(language).format(**values) for text in _FACTS]


def _address(options: argparse.Namespace, parser: argparse.ArgumentParser, language: str) -> str:
    host: str = options.host
    if options.plain_http and host.lower().startswith("https://"):
        parser.error(_HTTPS_AND_PLAIN.of(language))
    return f"http://{host}" if options.plain_http and "://" not in host else host


def _policy(options: argparse.Namespace) -> Policy:
    """A longer total time also allows more time for a response and for connecting."""
    policy = replace(
        DEFAULT_POLICY,
        ca_file=options.ca,
        skip_tls_verify=options.insecure,
        allow_loopback=options.allow_loopback,
    )
    if not options.timeout:
        return policy
    return replace(
        policy,
        total_timeout=options.timeout,
        read_timeout=max(policy.read_timeout, options.timeout),
        connect_timeout=max(policy.connect_timeout, options.timeout / _CONNECT_SHARE),
    )


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
    parser.add_argument(
        "--image",
        type=_image,
        metavar="NAME",
        help="an image of HOST to look at after the log-in: project/app:1.0",
    )
    parser.add_argument(
        "--uplink",
        type=_rate,
        default=UPLINK,
        metavar="MBITS",
        help="Mbit/s for the time of a pull; default 10",
    )
    parser.add_argument("--timeout", type=_seconds, metavar="S", help="for the whole test; default 20")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _readable(path: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        text = _NO_CERTIFICATE.of(reader_language(os.environ))
        raise argparse.ArgumentTypeError(text.format(path=path)) from None
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path}: {error.strerror}") from None
    return path


def _image(text: str) -> ImageQuery:
    read = _IMAGE.fullmatch(text)
    if read is None:
        raise argparse.ArgumentTypeError(_NO_IMAGE.of(reader_language(os.environ)).format(text=text))
    return ImageQuery(text, read["repository"], read["digest"] or read["tag"] or "latest")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _MOST_SECONDS:
        said = _NO_SECONDS.of(reader_language(os.environ))
        raise argparse.ArgumentTypeError(said.format(text=text, most=_MOST_SECONDS))
    return seconds


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(_NO_RATE.of(reader_language(os.environ)).format(text=text))
    return rate


def _without_line_end(text: str) -> str:
    """Removes one line end, which echo or an editor adds. More line ends belong to the password."""
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


if __name__ == "__main__":
    sys.exit(main())
