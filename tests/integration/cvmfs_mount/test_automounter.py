"""Repositories of an automounter, and a hung mount beside other probes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.engines import to_toml
from tests.integration.cvmfs_mount.node import CRITICAL, FILES, NAME, Node
from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.autofs import automounted, unavailable
from tests.lab.cvmfs_mount import Tree, mounted
from tests.unit.probes.network_servers import serving

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs_mount")]


def _need_autofs() -> None:
    reason = unavailable()
    if reason is not None:
        skip_or_fail(LabUnavailableError(f"no automounter: {reason}"))


def test_a_repository_of_an_automounter_appears_when_it_is_looked_up(node: Node) -> None:
    _need_autofs()
    node.mount.rmdir()
    with automounted(node.root, {NAME: Tree(FILES)}):
        before = os.listdir(node.root)
        facts = node.probed(NAME, "grid.example.org")
    assert before == []
    assert facts.autofs
    assert [mount.state for mount in facts.repositories or ()] == ["readable", "absent"]


def test_an_automounter_that_can_mount_nothing_is_critical(node: Node) -> None:
    _need_autofs()
    node.mount.rmdir()
    with automounted(node.root, {}):
        found = node.verdicts()
    assert (found["CVM-01"].status, "no wanted repository appears there" in found["CVM-01"].summary) == (
        CRITICAL,
        True,
    )
    assert found["CVM-13"].status is CRITICAL


def test_a_hung_mount_does_not_take_the_probe_of_the_proxies_with_it(node: Node, tmp_path: Path) -> None:
    """SITECONF lies in the mount; what the proxies do is found out all the same.

    The agent in a process of its own: it has one thread when it starts its probes, which a worker of pytest has not.
    """
    mount = node.root / "cms.cern.ch"
    mount.mkdir()
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    config = tmp_path / "agent.toml"
    with serving() as server, mounted(mount, Tree(FILES, hangs=True)):
        url = f"http://127.0.0.1:{server.port}"
        squid = {"frontier_servers": [f"{url}/FrontierProd"], "timeout_s": 5.0}
        cvmfs = {"mount_path": str(node.root), "stratum_ones": [url], "proxies": url}
        config.write_text(to_toml({"cvmfs": cvmfs, "squid": squid, "budget_s": 90}))
        done = subprocess.run(
            [sys.executable, "-I", "-m", "agent", "probe", "squid", "--json", "--config", str(config)],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(state)},
            capture_output=True,
            text=True,
            timeout=150,
        )
    profile = json.loads(done.stdout)
    runs = profile["limits"]["probes"]
    assert [(run["outcome"], run["reason"]) for run in runs] == [("finished", None)]
    found = {check["id"]: check for check in profile["checks"]}
    assert "that are no manifest" in found["SQD-01"]["summary"]
