"""The client's cache, its proxies, its version and its memory."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from probes.cvmfs_mount import PROBE
from probes.host import Host
from probes.judging import Judging
from probes.recording import RecordingDoor, begin, finish
from probes.redact import Redactor
from probes.replay import Recording, ReplayDoor
from probes.squid import PROBE as SQUID
from profiles.checks import Status
from profiles.facts.cvmfs_mount import CvmfsMountFacts
from profiles.facts.squid import ProxyFacts, SquidFacts
from tests.integration.cvmfs_mount.node import FILES, NAME, OK, SKIPPED, UNKNOWN, WARNING, Node
from tests.lab.cvmfs_mount import Broken, Tree, mounted
from tests.lab.waiting import until

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs_mount")]


@pytest.mark.parametrize(
    ("configuration", "status", "text"),
    [
        ("CVMFS_HTTP_PROXY=DIRECT\n", WARNING, "quota 4.19 GB (the default)"),
        ("CVMFS_QUOTA_LIMIT=15000\n", OK, "quota 15.7 GB, 20 GB are recommended"),
        ("CVMFS_QUOTA_LIMIT=-1\n", OK, "has no quota"),
        ("CVMFS_QUOTA_LIMIT=lots\n", UNKNOWN, "not a number"),
        ("", UNKNOWN, "CVMFS is not configured on this node"),
    ],
)
def test_the_quota_is_that_of_the_configuration(
    node: Node, configuration: str, status: Status, text: str
) -> None:
    node.configure(configuration)
    with mounted(node.mount, Tree(FILES)):
        found = node.verdicts()["CVM-06"]
    assert (found.status, text in found.summary) == (status, True), found


def test_a_quota_larger_than_the_partition_is_a_warning(node: Node) -> None:
    node.configure(f"CVMFS_QUOTA_LIMIT=900000000\nCVMFS_CACHE_BASE={node.directory}\n")
    with mounted(node.mount, Tree(FILES)):
        found = node.verdicts()["CVM-05"]
    assert (found.status, "larger than the partition" in found.summary) == (WARNING, True)


def test_a_full_partition_is_a_warning(node: Node) -> None:
    """The file system of the test says of itself that it is full."""
    full = node.directory / "full"
    full.mkdir()
    node.configure(f"CVMFS_QUOTA_LIMIT=2\nCVMFS_CACHE_BASE={full}\n")
    with mounted(node.mount, Tree(FILES)), mounted(full, Tree(FILES)):
        found = node.verdicts()["CVM-05"]
    assert (found.status, "100% full" in found.summary) == (WARNING, True), found


SITE_AND_BACKUP = (
    ProxyFacts(name="squid.example.org:3128", role="site", group=1, for_frontier=True, origin="test"),
    ProxyFacts(name="wpad-backup.example.org:3128", role="backup", group=2, for_frontier=True, origin="test"),
)


@pytest.mark.parametrize(
    ("proxy", "status", "text"),
    [
        ("http://squid.example.org:3128", OK, "mounted repositories use squid.example.org:3128"),
        ("DIRECT", WARNING, f"{NAME} goes directly, although the site has squid.example.org:3128"),
        ("http://backup.example.org:3126", WARNING, "through the backup proxy backup.example.org:3126"),
        ("http://wpad-backup.example.org:3128", WARNING, "through the backup proxy wpad-backup"),
        ("http://cvmfsbproxy.cern.ch:3126", WARNING, "through the backup proxy cvmfsbproxy.cern.ch:3126"),
        (-1, SKIPPED, "says which proxy"),
    ],
)
def test_a_client_that_passes_the_proxies_by_is_noticed(
    node: Node, proxy: str | int, status: Status, text: str
) -> None:
    with mounted(node.mount, Tree(FILES).with_attributes(proxy=proxy)):
        mounts = node.probed()
    facts = SquidFacts(proxies=SITE_AND_BACKUP, origin="test", servers=())
    judging = Judging(SQUID, node.settings(), {"cvmfs_mount": mounts})
    found = {result.id: result for result in SQUID.judge(facts, judging)}["SQD-05"]
    assert (found.status, text in found.summary) == (status, True), found


def test_a_recording_gives_the_same_files_and_verdicts(node: Node, tmp_path: Path) -> None:
    directory = tmp_path / "recording"
    begin(directory)
    door = RecordingDoor(node.door(), directory, PROBE.name, Redactor({"localhost": "host"}, b"key"))
    many: dict[str, bytes | Broken] = {f"/many/{number}": bytes(number) for number in range(60)}
    with mounted(node.mount, Tree({**FILES, **many})):
        live = PROBE.gather(Host(door), node.settings())
    door.close()
    finish(directory, agent_version="test", created_at="now", redacted=True)
    replayed = PROBE.gather(Host(ReplayDoor(Recording(directory), PROBE.name)), node.settings())
    assert isinstance(live, CvmfsMountFacts)
    assert live.mounted[0].samples
    assert replayed == live


def test_the_installed_client_is_compared_with_the_running_one(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "cvmfs2"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'CernVM-FS version 2.12.1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    with mounted(node.mount, Tree(FILES)):
        found = node.verdicts()["CVM-02"]
    with mounted(node.mount, Tree(FILES).with_attributes(version="2.12.1.0")):
        same = node.verdicts()["CVM-02"]
    assert (found.status, found.summary) == (
        WARNING,
        f"{NAME} runs client 2.11.2.0, installed is 2.12.1",
    )
    assert (same.status, same.summary) == (OK, "client 2.12.1.0, as installed")


@pytest.mark.parametrize(("warn_above_bytes", "status"), [(1, WARNING), (10**12, OK)])
def test_the_memory_of_the_client_is_that_of_its_process(
    node: Node, tmp_path: Path, warn_above_bytes: int, status: Status
) -> None:
    program = tmp_path / "cvmfs2"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as client:
        try:
            until("comm", lambda: Path(f"/proc/{client.pid}/comm").read_text() == "cvmfs2\n", limit_s=30)
            with mounted(node.mount, Tree(FILES).with_attributes(pid=str(client.pid))):
                facts = node.probed()
        finally:
            client.kill()
    bounds = {"CVM-08": {"warn_above_bytes": warn_above_bytes, "warn_above_share": 0}}
    judging = Judging(PROBE, node.settings().model_copy(update={"thresholds": bounds}), {})
    found = {result.id: result for result in PROBE.judge(facts, judging)}["CVM-08"]
    assert found.status is status, found
    assert f"{NAME}: client has" in found.summary


def test_another_process_with_the_number_of_the_client_does_not_count(node: Node) -> None:
    with mounted(node.mount, Tree(FILES).with_attributes(pid=str(os.getpid()))):
        found = node.verdicts()["CVM-08"]
    assert (found.status, found.summary) == (SKIPPED, "the client's process is not seen from here")
