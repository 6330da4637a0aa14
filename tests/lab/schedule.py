"""Spread the tests over pytest-xdist's workers: a lab is started once, the longest first.

`--dist loadgroup` of pytest-xdist 3.8 knows a test's group by a suffix that it writes into the test's node id. Since
pytest 9.2 a node id cannot be written any more, and the groups are lost without a word
(https://github.com/pytest-dev/pytest-xdist/issues/1386): every lab is then started by every worker. Here the workers
tell the controller the groups in a file beside the node ids, which holds with any version of both.

A test with no group belongs to its file, so that what a module sets up is set up once.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

LONGEST_FIRST = (
    "vm",
    "cross",
    "bench",
    "containers",
    "check-programs",
    "credentials",
    "links",
    "slurm",
    "condor",
    "xrootd",
)
"""Groups and files by the time they take, longest first: a long one begun last leaves the other worker idle."""

_GROUPS = pytest.StashKey[Path]()


def scope_of(item: pytest.Item) -> str:
    """The unit of work that a test belongs to: its group, else its file."""
    mark = item.get_closest_marker("xdist_group")
    if mark is None:
        return item.nodeid.split("::", 1)[0]
    return str(mark.args[0] if mark.args else mark.kwargs["name"])


def ordered(items: list[pytest.Item]) -> list[pytest.Item]:
    """The longest units first, then as collected; the tests of one unit stay together and in their order."""
    place = {scope: number for number, scope in enumerate(LONGEST_FIRST)}
    for item in items:
        place.setdefault(scope_of(item), len(place))
    return sorted(items, key=lambda item: place[scope_of(item)])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker: put the tests in order and leave their groups for the controller."""
    given = getattr(config, "workerinput", {}).get("sitecap_groups")
    if given is None:
        return
    items[:] = ordered(items)
    Path(given).write_text(json.dumps({item.nodeid: scope_of(item) for item in items}))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the controller: give a worker the file that it writes its groups to."""
    if node.config.getvalue("dist") != "loadgroup":
        return
    if _GROUPS not in node.config.stash:
        node.config.stash[_GROUPS] = Path(tempfile.mkdtemp(prefix="sitecap-groups-"))
    node.workerinput["sitecap_groups"] = str(node.config.stash[_GROUPS] / node.gateway.id)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In the controller: the scheduler of `--dist loadgroup`, with the groups read from the workers' files."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        groups: dict[str, str] | None = None

        def _split_scope(self, nodeid: str) -> str:
            if self.groups is None:
                # All workers have collected, and all have collected the same.
                some = next(config.stash[_GROUPS].iterdir())
                self.groups = json.loads(some.read_text())
            return self.groups[nodeid]

    config.option.loadscopereorder = False  # the number of tests says nothing about their time
    return ByGroup(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing in the directory for temporary files."""
    if _GROUPS in config.stash:
        shutil.rmtree(config.stash[_GROUPS], ignore_errors=True)
