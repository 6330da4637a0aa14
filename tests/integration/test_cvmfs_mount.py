"""The probe of mounted CVMFS on a real FUSE mount that has the client's attributes, healthy and broken."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from agent.engines import to_toml
from probes.answers import Json
from probes.cvmfs_mount import PROBE
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recording import Recording, RecordingDoor, ReplayDoor, begin, finish
from probes.redact import Redactor
from probes.runner import Runner
from probes.settings import Settings
from probes.squid import PROBE as SQUID
from profiles.checks import CheckResult, Status
from profiles.facts.cvmfs import CvmfsFacts, NewestManifest
from profiles.facts.cvmfs_mount import CvmfsMountFacts
from profiles.facts.squid import ProxyFacts, SquidFacts
from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.autofs import automounted, unavailable
from tests.lab.cvmfs_mount import ATTRIBUTES, Broken, Tree, mounted
from tests.lab.fuse_hang import missing
from tests.lab.waiting import until
from tests.unit.probes.network_servers import serving

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs_mount")]

OK, WARNING, CRITICAL = Status.OK, Status.WARNING, Status.CRITICAL
UNKNOWN, SKIPPED = Status.UNKNOWN, Status.SKIPPED

NAME = "lab.example.org"
FILES: dict[str, bytes | Broken] = {
    "/cmsset_default.sh": b"# what every job sources\n",
    "/sw/env.sh": b"export SW=1\n" * 50,
    "/sw/el9/big.bin": bytes(range(256)) * 4096,
}
CONFIGURATION = """\
CVMFS_HTTP_PROXY="http://squid.example.org:3128;DIRECT"
CVMFS_FALLBACK_PROXY="http://backup.example.org:3126"
CVMFS_QUOTA_LIMIT=25000
CVMFS_CACHE_BASE={cache}
"""


@pytest.fixture(autouse=True)
def _fuse() -> None:
    reason = missing()
    if reason is not None:
        skip_or_fail(LabUnavailableError(f"no FUSE file system: {reason}"))


class Elsewhere(LiveDoor):
    """This machine, with the CVMFS configuration of a test."""

    def __init__(self, configuration: Path) -> None:
        super().__init__()
        self._configuration = str(configuration)

    def ask(self, kind: str, args: list[Json]) -> Any:
        if args and isinstance(args[0], str) and args[0].startswith("/etc/cvmfs"):
            args = [self._configuration + args[0].removeprefix("/etc/cvmfs"), *args[1:]]
        return super().ask(kind, args)


@dataclass
class Node:
    """A worker node with a mount point and a configuration of CVMFS."""

    directory: Path

    def __post_init__(self) -> None:
        self.mount.mkdir(parents=True)
        self.etc.mkdir()
        self.configure(CONFIGURATION.format(cache=self.directory))

    @property
    def root(self) -> Path:
        return self.directory / "cvmfs"

    @property
    def mount(self) -> Path:
        return self.root / NAME

    @property
    def etc(self) -> Path:
        return self.directory / "etc-cvmfs"

    def configure(self, text: str) -> None:
        (self.etc / "default.local").write_text(text)

    def door(self) -> Elsewhere:
        return Elsewhere(self.etc)

    def settings(self, *repositories: str) -> Settings:
        return Settings.model_validate(
            {
                "cvmfs": {
                    "mount_path": str(self.root),
                    "repositories": repositories or (NAME,),
                    "test_paths": {NAME: "/cmsset_default.sh"},
                }
            }
        )

    def probed(self, *repositories: str) -> CvmfsMountFacts:
        facts = PROBE.gather(Host(self.door()), self.settings(*repositories))
        assert isinstance(facts, CvmfsMountFacts)
        return CvmfsMountFacts.model_validate_json(facts.model_dump_json())

    def verdicts(self, *repositories: str, **others: Any) -> dict[str, CheckResult]:
        facts = self.probed(*repositories)
        results = PROBE.judge(facts, Judging(PROBE, self.settings(*repositories), others))
        assert [result.id for result in results] == [check.id for check in PROBE.checks]
        return {result.id: result for result in results}


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "node")


def over_http(revision: int, *, age_s: float, root_catalog: str = ATTRIBUTES["root_hash"]) -> CvmfsFacts:
    """What the probe cvmfs found: a newest verified revision."""
    newest = NewestManifest(
        repository=NAME,
        revision=revision,
        root_catalog=root_catalog,
        published_s=time.time() - age_s,
        ttl_s=240,
    )
    names = [name for name in CvmfsFacts.model_fields if name not in ("absent", "newest")]
    reasons = dict.fromkeys(names, "not asked in this test")
    return CvmfsFacts.model_validate({**dict.fromkeys(names), "newest": (newest,), "absent": reasons})


@dataclass(frozen=True)
class Ago:
    """A moment so many seconds before the test, as the client writes it."""

    seconds: int

    def __str__(self) -> str:
        return str(int(time.time()) - self.seconds)


@dataclass(frozen=True)
class Case:
    """One state of a mount; what is not expected to be bad is OK.

    Attributes:
        name: of the fault.
        expected: check → status and a piece of its summary.
        attributes: of the client that differ from a healthy one; None = protected (EPERM).
        files: that differ; None = not there.
    """

    name: str
    expected: dict[str, tuple[Status, str]]
    attributes: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes | Broken | None] = field(default_factory=dict)

    def tree(self) -> Tree:
        """What is mounted."""
        files = {path: found for path, found in {**FILES, **self.files}.items() if found is not None}
        values = {
            name: -1 if value is None else str(value) if isinstance(value, Ago) else value
            for name, value in self.attributes.items()
        }
        return Tree(files).with_attributes(**values)


CASES = (
    Case(
        "healthy",
        {
            "CVM-01": (OK, "1 repository can be read"),
            "CVM-02": (OK, "client 2.11.2.0"),
            "CVM-03": (OK, "revision 42, as verified over HTTP"),
            "CVM-06": (OK, "quota 26.2 GB"),
            "CVM-11": (OK, "3 files read whole"),
            "CVM-13": (OK, "1 of 1"),
        },
    ),
    Case(
        "known file gives an I/O error",
        {
            "CVM-01": (CRITICAL, f"{NAME}/cmsset_default.sh: cannot be read (EIO)"),
            "CVM-11": (CRITICAL, "(EIO)"),
        },
        files={"/cmsset_default.sh": Broken("EIO")},
    ),
    Case(
        "known file is missing",
        {"CVM-01": (CRITICAL, "there is no such file")},
        files={"/cmsset_default.sh": None},
    ),
    Case(
        "a file is shorter than its size",
        {"CVM-11": (CRITICAL, "/sw/short: 50 bytes read, its size is 100 bytes")},
        files={"/sw/short": Broken()},
    ),
    Case(
        "counted I/O errors",
        {"CVM-04": (WARNING, f"{NAME}: 7 I/O errors")},
        {"nioerr": "7"},
    ),
    Case(
        "an I/O error an hour ago",
        {"CVM-04": (WARNING, "the last 1.0 h ago")},
        {"timestamp_last_ioerr": Ago(3600)},
    ),
    Case(
        "an I/O error last week",
        {"CVM-04": (OK, "no I/O errors")},
        {"timestamp_last_ioerr": Ago(7 * 86_400)},
    ),
    Case(
        "I/O errors grow",
        {"CVM-04": (CRITICAL, "2 I/O errors grew to 5")},
        {"nioerr": ["2", "5"]},
    ),
    Case(
        "cache cleaned up every half hour",
        {"CVM-05": (WARNING, "cleaned up 48 times in 24 h")},
        {"ncleanup24": "48"},
    ),
    Case(
        "descriptors nearly used up",
        {"CVM-07": (WARNING, "92% of its descriptors")},
        {"usedfd": "60000"},
    ),
    Case("many catalogs", {"CVM-09": (WARNING, "153% of its descriptors")}, {"nclg": "10000"}),
    Case("inodes beyond 32 bits", {"CVM-10": (WARNING, "2147483648")}, {"inode_max": str(2**31)}),
    Case(
        "protected attributes",
        {
            "CVM-03": (UNKNOWN, "does not tell its revision"),
            "CVM-04": (UNKNOWN, "does not tell its I/O errors"),
            "CVM-07": (UNKNOWN, "does not tell its file descriptors"),
            "CVM-12": (OK, "all mounts carry"),
        },
        {"revision": None, "nioerr": None, "usedfd": None},
    ),
    Case(
        "all attributes protected",
        {
            **{
                f"CVM-{number:02}": (UNKNOWN, "does not tell anything of itself")
                for number in (2, 3, 4, 7, 8, 9, 10)
            },
            "CVM-12": (OK, "all mounts carry the client's attributes"),
        },
        dict.fromkeys(ATTRIBUTES),
    ),
    Case(
        "no attributes: NFS re-export",
        {
            "CVM-01": (OK, "can be read"),
            "CVM-02": (SKIPPED, "no attributes"),
            "CVM-03": (SKIPPED, "no attributes"),
            "CVM-04": (SKIPPED, "no attributes"),
            "CVM-07": (SKIPPED, "no attributes"),
            "CVM-08": (SKIPPED, "no attributes"),
            "CVM-09": (SKIPPED, "no attributes"),
            "CVM-10": (SKIPPED, "no attributes"),
            "CVM-12": (OK, "a re-export by NFS or a CSI driver"),
        },
        dict.fromkeys(ATTRIBUTES, -61),
    ),
    Case(
        "attributes that are nonsense",
        {"CVM-03": (UNKNOWN, "revision"), "CVM-09": (UNKNOWN, "catalogs")},
        {"revision": "many", "nclg": "-1", "proxy": "\x00\x1b[31m", "version": "9" * 600},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_state_of_a_mount_has_its_own_verdict(node: Node, case: Case) -> None:
    with mounted(node.mount, case.tree()):
        found = node.verdicts(cvmfs=over_http(42, age_s=100_000))
    for check, (status, text) in case.expected.items():
        assert (found[check].status, text in found[check].summary) == (status, True), found[check]
    # The partition is that of the machine that runs the test; the client's process is pid 1 here, which is none.
    elsewhere = {"CVM-05", "CVM-08", *case.expected}
    assert {check for check, result in found.items() if result.status is not OK} <= elsewhere


ANOTHER_HASH = "f" * 40


@pytest.mark.parametrize(
    ("revision", "age_s", "root_catalog", "status", "text"),
    [
        (42, 9e6, ATTRIBUTES["root_hash"], OK, "revision 42, as verified over HTTP"),
        (41, 9e6, ANOTHER_HASH, OK, "revision 42, as verified over HTTP"),
        (43, 300.0, ANOTHER_HASH, OK, "revision 42, the next is 3"),
        (43, 3.02 * 3600, ANOTHER_HASH, WARNING, "revision 42 is mounted, 43 was published 3.0 h ago"),
        (43, 2 * 86_400.0, ANOTHER_HASH, CRITICAL, "43 was published 48.0 h ago"),
        (42, 60.0, ANOTHER_HASH, CRITICAL, "another root catalog"),
    ],
)
def test_the_revision_is_held_against_the_newest_verified_one(
    node: Node, revision: int, age_s: float, root_catalog: str, status: Status, text: str
) -> None:
    with mounted(node.mount, Tree(FILES)):
        newest = over_http(revision, age_s=age_s, root_catalog=root_catalog)
        found = node.verdicts(cvmfs=newest)["CVM-03"]
    assert (found.status, text in found.summary) == (status, True), found


def test_without_a_verified_revision_there_is_nothing_to_hold_it_against(node: Node) -> None:
    with mounted(node.mount, Tree(FILES)):
        found = node.verdicts()["CVM-03"]
    assert (found.status, "no manifest of these repositories was verified" in found.summary) == (
        UNKNOWN,
        True,
    )


@contextmanager
def _ended(node: Node) -> Iterator[None]:
    """The client has crashed, and the mount stays: "Transport endpoint is not connected"."""
    with mounted(node.mount, Tree(FILES)) as daemon:
        os.kill(daemon, signal.SIGKILL)
        while Path(f"/proc/{daemon}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
            time.sleep(0.01)
        yield


def test_a_crashed_client_is_critical(node: Node) -> None:
    with _ended(node):
        found = node.verdicts()
    assert found["CVM-01"].status is CRITICAL
    assert "Transport endpoint is not connected" in found["CVM-01"].summary
    assert found["CVM-13"].status is CRITICAL


@pytest.mark.parametrize(
    ("tree", "question"),
    [
        (Tree(FILES, hangs=True), "dir('"),
        (Tree({**FILES, "/cmsset_default.sh": Broken(hangs=True)}), "file('"),
    ],
    ids=["every question", "one file"],
)
def test_a_hung_mount_is_critical_within_the_deadline(
    node: Node, tree: Tree, question: str, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    quick = replace(PROBE, deadline_s=2.0)
    with mounted(node.mount, tree):
        runner = Runner(lambda _: node.door(), node.settings(), budget_s=60, state=state)
        outcome = runner.run([quick])
    (run,) = outcome.runs
    found = {check.id: check for check in outcome.checks}
    assert run.outcome in ("timeout", "stuck")
    assert "no answer within 2 s" in str(run.reason)
    assert str(node.mount) in str(run.reason)
    assert found["CVM-01"].status is CRITICAL
    assert found["CVM-04"].status is UNKNOWN


def test_without_any_mount_the_other_ways_are_named(node: Node) -> None:
    node.mount.rmdir()
    found = node.verdicts(cvmfs=over_http(42, age_s=60))
    assert {found[f"CVM-{number:02}"].status for number in range(1, 13)} == {SKIPPED}
    assert "over HTTP" in found["CVM-01"].summary
    assert (found["CVM-13"].status, found["CVM-13"].summary) == (CRITICAL, f"not mounted: {NAME}")
    assert "cvmfsexec" in str(found["CVM-13"].hint)
    assert f"over HTTP {NAME} can be had and verified from here" in str(found["CVM-13"].hint)


@pytest.mark.parametrize(
    ("wanted", "status", "text"),
    [
        ((NAME, "grid.example.org"), WARNING, "not mounted: grid.example.org"),
        (("cms.example.org", NAME), CRITICAL, "not mounted: cms.example.org"),
        ((NAME, "unpacked.cern.ch", "singularity.opensciencegrid.org"), WARNING, "not mounted: unpacked"),
    ],
)
def test_a_missing_repository_weighs_as_it_is_wanted(
    node: Node, wanted: tuple[str, ...], status: Status, text: str
) -> None:
    with mounted(node.mount, Tree(FILES)):
        found = node.verdicts(*wanted)["CVM-13"]
    assert (found.status, text in found.summary) == (status, True), found


def test_one_repository_of_images_is_enough(node: Node) -> None:
    other = node.root / "unpacked.cern.ch"
    other.mkdir()
    with mounted(node.mount, Tree(FILES)), mounted(other, Tree(FILES)):
        found = node.verdicts(NAME, "unpacked.cern.ch", "singularity.opensciencegrid.org")["CVM-13"]
    assert found.status is OK


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
