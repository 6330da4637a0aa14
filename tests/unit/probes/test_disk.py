"""The disk probe: which directory is scratch, what the verdicts hinge on, and faults made with real mounts."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from probes.disk import PROBE
from probes.judging import Judging
from probes.settings import DiskSettings, Settings
from profiles.checks import CheckResult, Status
from profiles.facts.disk import Directory, DiskFacts, WriteTest
from tests.unit.probes.slot_hosts import EXT4_ROOT, cores, host

GB = 10**9
MB = 10**6
REPOSITORY = Path(__file__).parents[3]
DIRECTORY = ["directory", 0o755, 0, 0, 4096, "254:1"]
SPACE = [500 * GB, 400 * GB, 1000, 900, False]
WRITTEN = [True, None, None, 16 * MB, 0.1, 0.1, True]


def gathered(
    directory: Path, *, scratch: str = "/scratch", settings: Settings | None = None, **more: Any
) -> DiskFacts:
    answers: list[tuple[str, list[Any], Any]] = [("limit", ["FSIZE"], [None, None])]
    for where in (scratch, "/tmp"):
        answers += [
            ("stat", [where, True], DIRECTORY),
            ("space", [where], SPACE),
            ("try_write", [where], WRITTEN),
        ]
    more["answers"] = [*more.get("answers", []), *answers]
    more["files"] = {"/proc/self/mountinfo": EXT4_ROOT, **more.get("files", {})}
    facts = PROBE.gather(host(directory, **more), settings or Settings())
    assert isinstance(facts, DiskFacts)
    return facts


def facts_with(**changes: Any) -> DiskFacts:
    values: dict[str, Any] = {
        "scratch": place(),
        "scratch_source": "$TMPDIR",
        "scratch_by_batch": False,
        "scratch_claim_bytes": None,
        "scratch_claim_source": None,
        "scratch_write": WriteTest(asked_bytes=16 * MB, written_bytes=16 * MB, verified=True, write_s=0.1),
        "tmp": place(path="/tmp"),
        "tmp_write": WriteTest(asked_bytes=4096, written_bytes=4096, verified=True),
        "file_size_limit_bytes": None,
        "mounts_seen": 3,
        **changes,
    }
    absent = {"file_size_limit_bytes": "unlimited", **changes.pop("absent", {})}
    values["absent"] = {**{name: "not said" for name, value in values.items() if value is None}, **absent}
    return DiskFacts(**values)


def place(**changes: Any) -> Directory:
    values = {
        "path": "/scratch", "total_bytes": 500 * GB, "available_bytes": 400 * GB, "inodes": 1000,
        "inodes_available": 900, "read_only": False, "filesystem_type": "xfs", "mount_point": "/",
    }  # fmt: skip
    return Directory(**{**values, **changes})


def verdicts(facts: DiskFacts, effective_cores: float | None = 8) -> dict[str, CheckResult]:
    known = {} if effective_cores is None else {"cores": cores(effective_cores)}
    results = PROBE.judge(facts, Judging(PROBE, Settings(), known))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return {result.id: result for result in results}


# -- which directory ---------------------------------------------------------------------------------------


def test_the_configuration_is_believed_before_the_batch_system(tmp_path: Path) -> None:
    settings = Settings(disk=DiskSettings(scratch_path="/scratch"))
    env = {"_CONDOR_SCRATCH_DIR": "/pool/dir_1", "TMPDIR": "/elsewhere"}
    facts = gathered(tmp_path, env=env, settings=settings)
    assert facts.scratch is not None
    assert (facts.scratch.path, facts.scratch_by_batch) == ("/scratch", True)
    assert facts.scratch_source == "configuration disk.scratch_path"


def test_the_batch_system_is_believed_before_tmpdir(tmp_path: Path) -> None:
    env = {"_CONDOR_SCRATCH_DIR": "/scratch", "TMPDIR": "/elsewhere", "PWD": "/home"}
    files = {"/scratch/.machine.ad": "Cpus = 8\nDisk = 104857600\n"}
    facts = gathered(tmp_path, env=env, files=files)
    assert facts.scratch is not None
    assert facts.scratch.path == "/scratch"
    assert facts.scratch_source == "claim of htcondor"
    assert facts.scratch_claim_bytes == 104857600 * 1024


@pytest.mark.parametrize(
    ("env", "source"),
    [
        ({"TMPDIR": "/scratch", "PWD": "/home"}, "$TMPDIR"),
        ({"TMPDIR": "relative", "PWD": "/scratch"}, "$PWD"),
        ({"SLURM_TMPDIR": "/scratch", "TMPDIR": "/elsewhere"}, "$SLURM_TMPDIR"),
    ],
)
def test_the_environment_is_asked_in_order(tmp_path: Path, env: dict[str, str], source: str) -> None:
    facts = gathered(tmp_path, env=env)
    assert facts.scratch is not None
    assert (facts.scratch.path, facts.scratch_source) == ("/scratch", source)


def test_no_directory_named_is_said_and_not_guessed(tmp_path: Path) -> None:
    facts = gathered(tmp_path)
    assert facts.scratch is None
    assert "$TMPDIR" in facts.absent["scratch"]
    assert verdicts(facts)["DSK-01"].status is Status.UNKNOWN


def test_the_name_of_the_user_stays_out_of_the_profile(tmp_path: Path) -> None:
    path = "/home/alice/alice-job"
    env = {"USER": "alice", "TMPDIR": path}
    mountinfo = EXT4_ROOT + "30 27 0:40 / /home/alice rw - nfs4 filer:/home/alice rw\n"
    stat = [("stat", [path, True], ["directory", 0o700, 1000, 1000, 4096, "0:40"])]
    facts = gathered(tmp_path, scratch=path, env=env, files={"/proc/self/mountinfo": mountinfo}, answers=stat)
    assert facts.scratch is not None
    assert facts.scratch.path == "/home/$USER/alice-job"
    assert facts.scratch.mount_point == "/home/$USER"
    assert facts.scratch.filesystem_type == "nfs4"


def test_a_recording_with_impossible_numbers_gives_no_numbers(tmp_path: Path) -> None:
    space = [("space", ["/scratch"], [10**30, -5, 0, 0, False])]
    facts = gathered(tmp_path, env={"TMPDIR": "/scratch"}, answers=space)
    assert facts.scratch is not None
    assert (facts.scratch.total_bytes, facts.scratch.available_bytes, facts.scratch.inodes) == (None,) * 3
    assert verdicts(facts)["DSK-01"].status is Status.UNKNOWN


def test_binary_mountinfo_costs_only_the_type(tmp_path: Path) -> None:
    files = {"/proc/self/mountinfo": b"\xff\x00 - - - \n" * 9}
    facts = gathered(tmp_path, env={"TMPDIR": "/scratch"}, files=files)
    assert facts.mounts_seen is None
    assert "mountinfo" in facts.absent["mounts_seen"]
    results = verdicts(facts)
    assert results["DSK-04"].status is Status.UNKNOWN
    assert results["DSK-01"].status is Status.OK


def test_zero_bytes_to_write_means_that_nothing_is_written(tmp_path: Path) -> None:
    facts = gathered(
        tmp_path, env={"TMPDIR": "/scratch"}, settings=Settings(disk=DiskSettings(write_test_bytes=0))
    )
    assert facts.scratch_write is None
    assert facts.tmp_write is None
    assert verdicts(facts)["DSK-05"].status is Status.SKIPPED


# -- verdicts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free_bytes", "slot_cores", "status"),
    [
        (160 * GB, 8, Status.OK),
        (160 * GB - 1, 8, Status.WARNING),
        (80 * GB, 8, Status.WARNING),
        (80 * GB - 1, 8, Status.CRITICAL),
        (10 * GB, 0.5, Status.OK),
        (10 * GB - 1, 0.1, Status.CRITICAL),
        (160 * GB, None, Status.UNKNOWN),
        (10 * GB - 1, None, Status.CRITICAL),
    ],
)
def test_scratch_is_held_against_the_cores_of_the_slot(
    free_bytes: int, slot_cores: float | None, status: Status
) -> None:
    facts = facts_with(scratch=place(available_bytes=free_bytes))
    assert verdicts(facts, slot_cores)["DSK-01"].status is status


def test_a_grant_smaller_than_the_free_space_counts() -> None:
    facts = facts_with(scratch_claim_bytes=40 * GB, scratch_claim_source="htcondor")
    result = verdicts(facts)["DSK-01"]
    assert (result.status, result.value) == (Status.CRITICAL, 40 * GB)


def test_a_scratch_directory_that_is_not_there_is_critical() -> None:
    gone = Directory(path="/scratch", error_name="ENOENT", error="/scratch: No such file or directory")
    results = verdicts(facts_with(scratch=gone))
    assert results["DSK-01"].status is Status.CRITICAL
    assert results["DSK-04"].status is Status.UNKNOWN


@pytest.mark.parametrize(("free_bytes", "status"), [(10 * MB, Status.OK), (10 * MB - 1, Status.WARNING)])
def test_tmp_needs_ten_megabytes(free_bytes: int, status: Status) -> None:
    assert verdicts(facts_with(tmp=place(path="/tmp", available_bytes=free_bytes)))["DSK-02"].status is status


def test_tmp_that_refuses_a_file_is_critical() -> None:
    refused = WriteTest(
        asked_bytes=4096, written_bytes=0, verified=False, error_name="EACCES", error="denied"
    )
    assert verdicts(facts_with(tmp_write=refused))["DSK-02"].status is Status.CRITICAL


@pytest.mark.parametrize(
    ("free", "status"),
    [(50, Status.OK), (49, Status.WARNING), (10, Status.WARNING), (9, Status.CRITICAL)],
)
def test_inodes(free: int, status: Status) -> None:
    assert verdicts(facts_with(scratch=place(inodes_available=free)))["DSK-03"].status is status


def test_a_file_system_that_counts_no_inodes_is_skipped() -> None:
    uncounted = place(inodes=None, inodes_available=None)
    assert verdicts(facts_with(scratch=uncounted, tmp=uncounted))["DSK-03"].status is Status.SKIPPED


@pytest.mark.parametrize(
    ("kind", "by_batch", "status"),
    [
        ("xfs", False, Status.OK),
        ("lustre", False, Status.WARNING),
        ("nfs4", False, Status.WARNING),
        ("lustre", True, Status.OK),
        (None, False, Status.UNKNOWN),
    ],
)
def test_a_network_file_system_needs_the_word_of_the_site(
    kind: str | None, by_batch: bool, status: Status
) -> None:
    facts = facts_with(scratch=place(filesystem_type=kind), scratch_by_batch=by_batch)
    assert verdicts(facts)["DSK-04"].status is status


@pytest.mark.parametrize(("write_s", "status"), [(0.8, Status.OK), (0.81, Status.WARNING)])
def test_a_slow_disk_is_a_warning(write_s: float, status: Status) -> None:
    test = WriteTest(asked_bytes=16 * MB, written_bytes=16 * MB, verified=True, write_s=write_s)
    assert verdicts(facts_with(scratch_write=test))["DSK-05"].status is status


def test_content_that_comes_back_different_is_critical() -> None:
    test = WriteTest(asked_bytes=16, written_bytes=16, verified=False, error="differs", write_s=0.1)
    result = verdicts(facts_with(scratch_write=test))["DSK-05"]
    assert result.status is Status.CRITICAL
    assert "differs" in result.summary


@pytest.mark.parametrize(("limit_bytes", "status"), [(10 * GB, Status.OK), (10 * GB - 1, Status.WARNING)])
def test_the_largest_file(limit_bytes: int, status: Status) -> None:
    assert verdicts(facts_with(file_size_limit_bytes=limit_bytes))["DSK-06"].status is status


def test_a_quota_that_ended_the_test_is_named() -> None:
    test = WriteTest(asked_bytes=16, written_bytes=8, verified=False, error_name="EDQUOT", error="quota")
    assert verdicts(facts_with(scratch_write=test))["DSK-06"].status is Status.WARNING
    assert verdicts(facts_with())["DSK-06"].status is Status.OK


def test_a_file_size_limit_that_cannot_be_read_is_unknown() -> None:
    facts = facts_with(absent={"file_size_limit_bytes": "EINVAL"})
    assert verdicts(facts)["DSK-06"].status is Status.UNKNOWN


# -- the machine itself ------------------------------------------------------------------------------------

LOOK = """
from probes.disk import PROBE; from probes.host import Host; from probes.live import LiveDoor
from probes.settings import Settings
print(PROBE.gather(Host(LiveDoor()), Settings()).model_dump_json())
"""


def looked(scratch: str, *, before: str | None = None, **more: Any) -> DiskFacts:
    """What the probe finds in a process of its own; `before` are shell commands in a mount namespace of its own."""
    look = [sys.executable, "-c", LOOK]
    if before is not None:
        look = ["unshare", "-m", "--propagation", "private", "sh", "-ec", f'{before}; exec "$@"', "sh", *look]
    env = {"PATH": os.environ["PATH"], "TMPDIR": scratch, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        look, env=env, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False, **more
    )
    if done.returncode != 0 and "unshare" in done.stderr:
        pytest.skip(f"no mount namespace can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return DiskFacts(**json.loads(done.stdout))


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tmpfs needs root")


def test_this_machine_has_a_scratch_that_can_be_written(tmp_path: Path) -> None:
    facts = looked(str(tmp_path))
    assert facts.scratch is not None
    assert facts.scratch.available_bytes == pytest.approx(os.statvfs(tmp_path).f_bavail * os.statvfs(
        tmp_path).f_frsize, rel=0.2)  # fmt: skip
    known = subprocess.run(["stat", "-f", "-c", "%T", tmp_path], capture_output=True, text=True, check=True)
    assert (facts.scratch.filesystem_type or "").rstrip("34") in known.stdout.replace("ext2/ext3", "ext")
    assert facts.scratch_write is not None
    assert facts.scratch_write.verified
    assert list(tmp_path.iterdir()) == []


@needs_root
def test_a_disk_that_runs_full_under_the_test(tmp_path: Path) -> None:
    facts = looked(str(tmp_path), before=f"mount -t tmpfs -o size=2m tmpfs '{tmp_path}'")
    assert facts.scratch is not None
    assert facts.scratch.filesystem_type == "tmpfs"
    assert facts.scratch.total_bytes == 2 * 1024 * 1024
    assert facts.scratch_write is not None
    assert facts.scratch_write.error_name == "ENOSPC"
    results = verdicts(facts, 1)
    assert results["DSK-01"].status is Status.CRITICAL
    assert results["DSK-05"].status is Status.CRITICAL


@needs_root
def test_a_disk_without_inodes(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o nr_inodes=5 tmpfs '{tmp_path}'"
    facts = looked(str(tmp_path), before=f"{mount}; cd '{tmp_path}'; touch a b c d; cd /")
    assert facts.scratch is not None
    assert (facts.scratch.inodes, facts.scratch.inodes_available) == (5, 0)
    assert verdicts(facts)["DSK-03"].status is Status.CRITICAL
    assert verdicts(facts)["DSK-05"].status is Status.CRITICAL


@needs_root
def test_a_disk_that_is_read_only(tmp_path: Path) -> None:
    facts = looked(str(tmp_path), before=f"mount -t tmpfs -o ro tmpfs '{tmp_path}'")
    assert facts.scratch is not None
    assert facts.scratch.read_only
    assert facts.scratch_write is not None
    assert facts.scratch_write.error_name == "EROFS"
    assert verdicts(facts)["DSK-05"].status is Status.CRITICAL


@needs_root
def test_tmp_that_is_read_only() -> None:
    facts = looked("/var/tmp", before="mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp")
    assert facts.tmp.read_only
    results = verdicts(facts)
    assert results["DSK-02"].status is Status.CRITICAL
    assert results["DSK-05"].status in (Status.OK, Status.WARNING)


def test_a_file_size_limit_stops_the_write_test(tmp_path: Path) -> None:
    limit = (1024 * 1024, 1024 * 1024)
    facts = looked(str(tmp_path), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert facts.file_size_limit_bytes == limit[0]
    assert facts.scratch_write is not None
    assert facts.scratch_write.error_name == "EFBIG"
    assert verdicts(facts)["DSK-06"].status is Status.WARNING
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    facts = looked(str(tmp_path / "file"))
    assert facts.scratch is not None
    assert facts.scratch.error_name == "ENOTDIR"
    assert verdicts(facts)["DSK-01"].status is Status.CRITICAL
