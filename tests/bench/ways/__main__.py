"""`make ways`: the files of ours that each way enters, traced while it runs. It measures; it does not judge."""

import sys
from pathlib import Path

import pytest

from tests.bench.ways import report


def main() -> int:
    report.tracer.install()
    cases = str(Path(__file__).with_name("cases.py"))
    status = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", "-n", "0", cases, *sys.argv[1:]])
    report.say("\n" + report.details() + "\n" + report.table())
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
