"""What is asked of a disk: the catalogue DSK-01 to DSK-06 and its verdicts. Pure; part of the disk probe."""

from __future__ import annotations

from typing import Final

from probes.judging import Judging
from probes.spec import Bound, Check
from profiles.checks import CheckResult
from profiles.facts.cores import CoresFacts
from profiles.facts.disk import Directory, DiskFacts, WriteTest

NO_LIMIT: Final = "unlimited"
"""Reason in `absent` that tells a limit which is not set from one that could not be read."""

GB: Final = 10**9
MB: Final = 10**6

NETWORK_TYPES: Final = frozenset({
    "nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "afs", "panfs", "orangefs", "pvfs2",
    "wekafs", "fuse.glusterfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.sshfs", "fuse.juicefs",
})  # fmt: skip
"""Types, as mountinfo names them, whose data lie on other machines."""

_VO_CARD = "CMS VO card, 20 GB per core, as tested by PSST (CMSglideinWMSValidation)"

CHECKS: Final[tuple[Check, ...]] = (
    Check(
        id="DSK-01",
        title="Scratch space",
        rule="WARNING below 20 GB for each core of the slot, CRITICAL below 10 GB for each core, below "
        "10 GB in all, or if the directory cannot be used. The smaller of free space and grant counts.",
        origin="CMS PSST; SAM env test (10 GB); BNL, Supporting CMS",
        hint="Clean directories of jobs that are gone, grant more scratch, or give the disk to fewer cores.",
        why="CMS jobs unpack their sandbox and keep inputs, outputs and logs in scratch until stage-"
        "out. When it runs full they fail after hours of work, and so do their neighbours on the disk.",
        bounds=(
            Bound(name="warn_below_bytes_per_core", default=20 * GB, origin=_VO_CARD),
            Bound(name="critical_below_bytes_per_core", default=10 * GB, origin="PSST, 10 GB per core"),
            Bound(name="critical_below_bytes", default=10 * GB, origin="SAM env test, 10 GB"),
        ),
        critical_on_hang=True,
    ),
    Check(
        id="DSK-02",
        title="Temporary files",
        rule="WARNING below 10 MB free, CRITICAL if a file cannot be written there.",
        origin="SAM, PSST, glideinWMS",
        hint="Clean /tmp (systemd-tmpfiles, tmpwatch), mount it writable, or give each job its own.",
        why="Scripts, compilers and middleware put small files into /tmp whatever $TMPDIR says; without it "
        "they fail in ways that do not name the disk.",
        bounds=(Bound(name="warn_below_bytes", default=10 * MB, origin="SAM, PSST: 10 MB"),),
    ),
    Check(
        id="DSK-03",
        title="Inodes",
        rule="WARNING below 5 % of free inodes, CRITICAL below 1 %, on scratch or /tmp.",
        origin="LBNL Node Health Check has the test; the bounds are sitecap's",
        hint="Delete many small files, or make the file system anew with more inodes.",
        why="A file system without inodes refuses new files while it still shows free space.",
        bounds=(
            Bound(name="warn_below_fraction", default=0.05, origin="sitecap"),
            Bound(name="critical_below_fraction", default=0.01, origin="sitecap"),
        ),
    ),
    Check(
        id="DSK-04",
        title="Scratch type",
        rule="WARNING if scratch is on a network file system that neither the site's configuration nor the "
        "batch system named.",
        origin="CVMFS documentation, HPC chapter; HTCondor's advice on execute directories",
        hint="Point scratch at a local disk, or at a loop-back image on the shared file system.",
        why="Many small files and locks of all jobs meet on one metadata server; jobs and server slow down.",
    ),
    Check(
        id="DSK-05",
        title="Write test",
        rule="CRITICAL if writing, syncing or reading back fails or the content differs; WARNING below "
        "20 MB/s.",
        origin="idea of PSST's corruption test; the bound is sitecap's",
        hint="Look at the kernel's log and the disk's SMART values; see whether jobs saturate the disk.",
        why="Free space on a read-only, broken or overloaded disk is worth nothing, and silent corruption "
        "ends up in data sets.",
        bounds=(Bound(name="warn_below_bytes_per_s", default=20 * MB, origin="sitecap"),),
        critical_on_hang=True,
    ),
    Check(
        id="DSK-06",
        title="Quota",
        rule="WARNING if a quota ended the write test, or if the largest file allowed (RLIMIT_FSIZE) is "
        "below 10 GB.",
        origin="glideinWMS CHECK_QUOTA; the bound is the least scratch of DSK-01",
        hint="Raise the quota of the pilot account, or fsize in limits.conf or in the batch system.",
        why="Free space that a quota or a file-size limit withholds is not there for the job: it is killed "
        "by SIGXFSZ or sees EDQUOT.",
        bounds=(Bound(name="warn_below_bytes", default=10 * GB, origin="SAM env test, 10 GB of scratch"),),
    ),
)


def judge(facts: DiskFacts, judging: Judging) -> list[CheckResult]:
    """One verdict for each check of the catalogue."""
    return [
        _space(facts, judging),
        _tmp(facts, judging),
        _inodes(facts, judging),
        _type(facts, judging),
        _write(facts, judging),
        _quota(facts, judging),
    ]


def summarise(facts: DiskFacts) -> str:
    """Usable scratch space, its file system, and the speed of the write test."""
    if facts.scratch is None:
        return "no scratch directory is named"
    if facts.scratch.error is not None:
        return f"scratch unusable: {facts.scratch.error_name}"[:60]
    usable = usable_bytes(facts)
    words = ["scratch size not known" if usable is None else f"{gigabytes(usable)} of scratch"]
    if facts.scratch.filesystem_type is not None:
        words.append(f"on {facts.scratch.filesystem_type[:16]}")
    speed = None if facts.scratch_write is None else bytes_per_s(facts.scratch_write)
    if speed is not None:
        words.append(f"written at {speed / MB:.0f} MB/s")
    return " ".join(words)[:60]


def usable_bytes(facts: DiskFacts) -> int | None:
    """The smaller of what is free and what was granted; a grant does not make a full disk larger."""
    free = None if facts.scratch is None else facts.scratch.available_bytes
    known = [size for size in (free, facts.scratch_claim_bytes) if size is not None]
    return None if free is None else min(known)


def bytes_per_s(test: WriteTest) -> float | None:
    """Speed of writing and syncing; None if it was not finished or took no measurable time."""
    return test.written_bytes / test.write_s if test.verified and test.write_s else None


def gigabytes(size_bytes: float) -> str:
    """A size for people, in GB of 10^9 bytes as disks are sold."""
    return f"{size_bytes / GB:.1f} GB" if size_bytes >= 0.1 * GB else f"{size_bytes / MB:.1f} MB"


def _missing(facts: DiskFacts, judging: Judging, check_id: str) -> CheckResult | None:
    """The verdict of the checks that need a scratch directory to look at, None if there is one."""
    if facts.scratch is None:
        return judging.unknown(check_id, facts.absent.get("scratch", "no scratch directory is known"))
    if facts.scratch.error is not None:
        return judging.unknown(check_id, f"{facts.scratch.path} cannot be used: {facts.scratch.error}")
    return None


def _evidence(facts: DiskFacts) -> list[str]:
    scratch = facts.scratch
    if scratch is None:
        return []
    found = [f"scratch is {scratch.path}, named by {facts.scratch_source}"]
    if scratch.available_bytes is not None:
        found.append(f"statvfs {scratch.path}: {scratch.available_bytes} bytes free for a user")
    if facts.scratch_claim_bytes is not None:
        found.append(f"{facts.scratch_claim_source} grants {facts.scratch_claim_bytes} bytes of scratch")
    return found


def _space(facts: DiskFacts, judging: Judging) -> CheckResult:
    check_id, scratch, evidence = "DSK-01", facts.scratch, _evidence(facts)
    if scratch is not None and scratch.error is not None and scratch.error_name != "ENOTRECORDED":
        text = f"the scratch directory {scratch.path} cannot be used: {scratch.error}"
        return judging.critical(check_id, text, evidence=evidence)
    missing = _missing(facts, judging, check_id)
    usable = usable_bytes(facts)
    if missing is not None:
        return missing
    if usable is None:
        return judging.unknown(check_id, "the file system does not say how much is free", evidence=evidence)
    found: dict[str, object] = {"value": usable, "unit": "B", "evidence": evidence}
    if usable < judging.number(check_id, "critical_below_bytes"):
        return judging.critical(check_id, f"{gigabytes(usable)} of scratch in all", **found)
    cores = judging.facts_of("cores", CoresFacts)
    if cores is None or not cores.effective_cores:
        reason = f"{gigabytes(usable)} of scratch, but for how many cores is not known"
        return judging.unknown(check_id, reason, **found)
    per_core = usable / cores.effective_cores
    text = f"{gigabytes(per_core)} of scratch for each of {cores.effective_cores:g} cores"
    if per_core < judging.number(check_id, "critical_below_bytes_per_core"):
        return judging.critical(check_id, text, **found)
    if per_core < judging.number(check_id, "warn_below_bytes_per_core"):
        return judging.warn(check_id, text, **found)
    return judging.ok(check_id, text, **found)


def _tmp(facts: DiskFacts, judging: Judging) -> CheckResult:
    check_id, tmp, test = "DSK-02", facts.tmp, facts.tmp_write
    if tmp.error is not None:
        if tmp.error_name == "ENOTRECORDED":
            return judging.unknown(check_id, tmp.error)
        return judging.critical(check_id, f"{tmp.path} cannot be used: {tmp.error}")
    if tmp.read_only:
        return judging.critical(check_id, f"{tmp.path} is mounted read-only")
    if test is not None and not test.verified:
        return judging.critical(check_id, f"{tmp.path} cannot be written: {_failure(test)}")
    if tmp.available_bytes is None:
        return judging.unknown(check_id, "the file system does not say how much is free")
    written = "" if test is None else ", a test file was written"
    text = f"{gigabytes(tmp.available_bytes)} free in {tmp.path}{written}"
    few = tmp.available_bytes < judging.number(check_id, "warn_below_bytes")
    verdict = judging.warn if few else judging.ok
    return verdict(check_id, text, value=tmp.available_bytes, unit="B")


def _inodes(facts: DiskFacts, judging: Judging) -> CheckResult:
    check_id = "DSK-03"
    places = [place for place in (facts.scratch, facts.tmp) if place is not None and place.error is None]
    if not places:
        return judging.unknown(check_id, "neither scratch nor /tmp can be looked at")
    fractions = [(part, place) for place in places if (part := _free_inodes(place)) is not None]
    if not fractions:
        return judging.skip(check_id, "the file systems of scratch and /tmp do not count inodes")
    fraction, place = min(fractions, key=lambda item: item[0])
    text = f"{fraction:.1%} of the inodes are free in {place.path}"
    if fraction < judging.number(check_id, "critical_below_fraction"):
        return judging.critical(check_id, text, value=fraction, unit="1")
    if fraction < judging.number(check_id, "warn_below_fraction"):
        return judging.warn(check_id, text, value=fraction, unit="1")
    return judging.ok(check_id, text, value=fraction, unit="1")


def _free_inodes(place: Directory) -> float | None:
    if place.inodes is None or place.inodes_available is None:
        return None
    return place.inodes_available / place.inodes if place.inodes else None


def _type(facts: DiskFacts, judging: Judging) -> CheckResult:
    check_id, scratch = "DSK-04", facts.scratch
    if (missing := _missing(facts, judging, check_id)) is not None or scratch is None:
        return missing or judging.unknown(check_id, "no scratch directory is known")
    kind = scratch.filesystem_type
    if kind is None:
        return judging.unknown(check_id, f"no line of /proc/self/mountinfo fits {scratch.path}")
    evidence = [f"/proc/self/mountinfo: {scratch.mount_point} is {kind}", *_evidence(facts)[:1]]
    text = f"scratch is on {kind}"
    if kind == "tmpfs":
        text += ": what is written there counts as memory of the job"
    elif kind in NETWORK_TYPES and facts.scratch_by_batch:
        text += f", a network file system, as {facts.scratch_source} wants it"
    elif kind in NETWORK_TYPES:
        text += f", a network file system, only because {facts.scratch_source} says so"
        return judging.warn(check_id, text, value=kind, evidence=evidence)
    return judging.ok(check_id, text, value=kind, evidence=evidence)


def _write(facts: DiskFacts, judging: Judging) -> CheckResult:
    check_id, test = "DSK-05", facts.scratch_write
    if facts.scratch is None:
        return judging.unknown(check_id, facts.absent.get("scratch", "no scratch directory is known"))
    if test is None:
        reason = facts.absent.get("scratch_write", "there was no write test")
        skipped = "write_test_bytes" in reason
        return judging.skip(check_id, reason) if skipped else judging.unknown(check_id, reason)
    evidence = [f"{test.written_bytes} of {test.asked_bytes} bytes written in {facts.scratch.path}"]
    if not test.verified:
        return judging.critical(check_id, f"the write test failed: {_failure(test)}", evidence=evidence)
    speed = bytes_per_s(test)
    if speed is None:
        return judging.ok(check_id, "what was written came back the same", evidence=evidence)
    text = f"{gigabytes(test.written_bytes)} written at {speed / MB:.0f} MB/s, came back the same"
    slow = speed < judging.number(check_id, "warn_below_bytes_per_s")
    verdict = judging.warn if slow else judging.ok
    return verdict(check_id, text, value=speed, unit="B/s", evidence=evidence)


def _failure(test: WriteTest) -> str:
    name = f" ({test.error_name})" if test.error_name else ""
    return f"{test.error or 'no reason is given'}{name}, after {test.written_bytes} bytes"


def _quota(facts: DiskFacts, judging: Judging) -> CheckResult:
    check_id, limit = "DSK-06", facts.file_size_limit_bytes
    for test, place in ((facts.scratch_write, facts.scratch), (facts.tmp_write, facts.tmp)):
        if test is not None and place is not None and test.error_name == "EDQUOT":
            text = f"a disk quota ended the write test in {place.path} after {test.written_bytes} bytes"
            return judging.warn(check_id, text)
    if limit is None:
        reason = facts.absent.get("file_size_limit_bytes", "RLIMIT_FSIZE is not known")
        if reason != NO_LIMIT:
            return judging.unknown(check_id, reason)
        return judging.ok(check_id, "no quota was met and files may be of any size")
    text = f"no file may be larger than {gigabytes(limit)} (RLIMIT_FSIZE)"
    low = limit < judging.number(check_id, "warn_below_bytes")
    verdict = judging.warn if low else judging.ok
    return verdict(check_id, text, value=limit, unit="B")
