"""Which tests run in which worker of pytest-xdist: a plugin of pytest.

The tests of a file stay together. Files that share an expensive server are one group, so that one worker starts it.
What takes longest comes first: no worker is left alone with it at the end.
"""

import os
import signal

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

GROUPS = {
    "mortal server": (
        "tests/cluster/test_batch.py",
        "tests/cluster/test_faults.py",
        "tests/cluster/test_faults_work.py",
        "tests/cluster/test_silent.py",
        "tests/cluster/test_away.py",
    ),
    "api server, second half": tuple(f"tests/cluster/test_{letter}" for letter in "prstuvwxyz"),
    "api server": (
        "tests/cluster/",
        "tests/stores/test_store",
        "tests/stores/test_room.py",
        "tests/index/test_watch_order.py",
        "tests/api/test_client.py",
        "tests/house/test_deploy.py",
        "tests/browser/test_cluster",
    ),
    "browser, first half": (
        *(
            "tests/browser/test_gallery.py",
            "tests/browser/test_guide.py",
        ),
        *("tests/browser/test_list", "tests/browser/test_session.py"),
    ),
    "browser": ("tests/browser/",),
}
"""Paths begin with one of these; the first group that fits is meant."""
LONGEST_FIRST = (
    *("browser", "api server, second half", "api server", "mortal server"),
    *("tests/processes/test_postgresql.py", "tests/processes/", "tests/api/", "tests/probe/", "tests/demo/"),
)
"""Groups, then folders whose files come next; the others follow. What a group takes is a third of the run at most."""


def group_of(nodeid: str) -> str:
    path = nodeid.partition("::")[0]
    return next((name for name, starts in GROUPS.items() if path.startswith(starts)), path)


def rank(nodeid: str) -> int:
    """Where the group of a test stands in the queue."""
    group = group_of(nodeid)
    fits = (number for number, start in enumerate(LONGEST_FIRST) if group.startswith(start))
    return next(fits, len(LONGEST_FIRST))


class ByGroup(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    config.option.loadscopereorder = False  # the order is that of the collection
    return ByGroup(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are processors for this process: half of the time tests wait for a server."""
    return 1 + (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A worker is told by an id what to run. Schemathesis gives one id to all operations of a test."""
    for item in items:
        if not item.nodeid.endswith(item.name) and item.parent:
            item._id = item.parent.id.child(item.name)
    assert len({item.nodeid for item in items}) == len(items), "two tests have one id"
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Ctrl-C and SIGTERM reach the workers: each stops the servers that it started. xdist only waits for them."""
    run = session.config.pluginmanager.getplugin("dsession")
    if exitstatus == pytest.ExitCode.INTERRUPTED and run and run.nodemanager:
        for gateway in run.nodemanager.group:
            gateway._io.popen.send_signal(signal.SIGTERM)
