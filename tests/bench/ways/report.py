"""The traces of one run and the table made of them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.ways.tracing import Trace, Tracer

TARGETS = {
    "list page": 8,
    "try in the add dialog": 9,
    "test one": 9,
    "delete many": 10,
    "API create, embedded": 9,
    "API create, cluster": 15,
}
"""The most files of ours per way. The files of the probe are counted separately."""
NAMES = 5
"""Functions that are printed per file."""
tracer = Tracer()
traces: dict[str, Trace] = {}


@contextmanager
def way(name: str) -> Iterator[None]:
    with tracer.tracing() as trace:
        yield
    traces[name] = trace


def table() -> str:
    lines = [
        "steps: files without those that only hold values (domain/, addresses.py, words/, models/)",
        f"{'way':24}{'files':>6}{'steps':>7}{'target':>8}{'probe':>7}{'store reads':>13}{'decoded':>9}"
        f"{'reviews':>9}",
    ]
    for name, target in TARGETS.items():
        if trace := traces.get(name):
            numbers = (len(trace.own), len(trace.steps), target, len(trace.probe), trace.store_reads.total())
            numbers += (trace.decoded, trace.reviews)
            widths = (6, 7, 8, 7, 13, 9, 9)
            cells = "".join(f"{it:>{width}}" for it, width in zip(numbers, widths, strict=True))
            lines.append(f"{name:24}{cells}")
        else:
            lines.append(f"{name:24} not measured")
    return "\n".join(lines) + "\n"


def details() -> str:
    lines: list[str] = []
    for name, trace in traces.items():
        lines += [
            "",
            f"{name}: {len(trace.own)} files, {len(trace.steps)} without values, target {TARGETS[name]}",
        ]
        lines += [f"  {it:42} {_functions(it, trace)}" for it in trace.own]
        if trace.probe:
            lines.append(f"  registries/probe: {' '.join(Path(it).stem for it in trace.probe)}")
        lines.append(f"  apart, around the view: {' '.join(sorted(trace.around))}")
        lines.append(f"  store reads: {_counts(trace.store_reads)}")
        lines.append(
            f"  resource JSON: json.loads x{trace.decoded}; functions that take a resource: "
            f"{_counts(trace.resource_calls)}"
        )
        lines += [f"  request: {it}" for it in trace.requests]
    return "\n".join(lines) + "\n"


def _functions(file: str, trace: Trace) -> str:
    names = [it for it in trace.functions[file] if "<" not in it] or list(trace.functions[file])
    rest = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    by_templates = " (called by templates only)" if file in trace.only_templates else ""
    return ", ".join(names[:NAMES]) + rest + by_templates


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{name} x{count}" for name, count in counter.items()) or "none"


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
