"""What the facts of mounted CVMFS mean: CVM-01 to CVM-13. Pure; the client's own figures are judged in `judge_client`."""

from __future__ import annotations

from collections.abc import Sequence

from probes.cvmfs_mount import judge_client
from probes.cvmfs_mount.checks import CHECKS
from probes.judging import Judging
from profiles.checks import CheckResult
from profiles.facts.cvmfs import CvmfsFacts
from profiles.facts.cvmfs_mount import CvmfsMountFacts, FileSample, RepositoryMount

IMAGES = frozenset({"singularity.opensciencegrid.org", "unpacked.cern.ch"})
"""Repositories that hold the same container images; a job takes whichever is there."""

OVER_HTTP = "the probe cvmfs says whether repositories can be had over HTTP"


def judge(facts: CvmfsMountFacts, judging: Judging) -> Sequence[CheckResult]:
    """One verdict for each check of the catalogue."""
    mounts = facts.mounted
    failed = [mount for mount in facts.repositories or () if mount.state == "failed"]
    lost = facts.autofs and not mounts and not failed
    if not mounts and not failed and not lost:
        reason = f"no CVMFS repository is mounted below {facts.mount_path}; {OVER_HTTP}"
        skipped = [judging.skip(check.id, reason) for check in CHECKS if check.id != "CVM-13"]
        return [*skipped, _repositories(facts, judging)]
    return [
        _readable(facts, mounts, failed, judging),
        *judge_client.judge(facts, mounts, judging),
        _integrity(mounts, judging),
        _kind(mounts, judging),
        _repositories(facts, judging),
    ]


def summarise(facts: CvmfsMountFacts) -> str:
    """How many repositories are mounted, and by which client."""
    wanted = facts.repositories or ()
    mounts = facts.mounted
    if not mounts:
        broken = sum(mount.state == "failed" for mount in wanted)
        return f"{broken} broken mounts" if broken else "not mounted"
    versions = sorted({mount.version for mount in mounts if mount.version})
    return f"{len(mounts)} of {len(wanted)} repositories" + (f", client {versions[-1]}" if versions else "")


def _readable(
    facts: CvmfsMountFacts,
    mounts: Sequence[RepositoryMount],
    failed: Sequence[RepositoryMount],
    judging: Judging,
) -> CheckResult:
    evidence = [f"{mount.repository}: {mount.error}" for mount in failed]
    faults = [f"{mount.repository} cannot be listed: {mount.error}" for mount in failed]
    for mount in mounts:
        evidence.append(f"{mount.repository}: {mount.entries} names, {_told(mount.test_file)}")
        if mount.test_file is not None and (fault := _fault(mount.test_file)) is not None:
            faults.append(f"{mount.repository}{mount.test_file.path}: {fault}")
    if faults:
        return judging.critical("CVM-01", faults[0], evidence=evidence)
    if not mounts:
        told = f"the automounter serves {facts.mount_path}, but no wanted repository appears there"
        hint = (
            "`cvmfs_config chksetup` and `cvmfs_config probe`; the mount itself fails, see /var/log/messages"
        )
        return judging.critical("CVM-01", told, hint=hint)
    told = "1 repository" if len(mounts) == 1 else f"{len(mounts)} repositories"
    return judging.ok("CVM-01", f"{told} can be read", evidence=evidence)


def _fault(sample: FileSample) -> str | None:
    """What is wrong with a file that was read, None if nothing is."""
    if sample.error == "ETOOLARGE":
        return None
    if sample.error is not None:
        missing = sample.error in ("ENOENT", "ENOTDIR")
        return "there is no such file" if missing else f"cannot be read ({sample.error})"
    if sample.read_bytes != sample.size_bytes:
        return f"{sample.read_bytes} bytes read, its size is {sample.size_bytes} bytes"
    return None


def _told(sample: FileSample | None) -> str:
    if sample is None:
        return "no file configured in cvmfs.test_paths"
    return f"{sample.path}: {_fault(sample) or f'{sample.size_bytes} bytes read'}"


def _integrity(mounts: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    samples = [(mount.repository, sample) for mount in mounts for sample in mount.samples]
    if not samples:
        return judging.unknown("CVM-11", "no file was found near the root in time, so none was read")
    faults = [f"{name}{sample.path}: {fault}" for name, sample in samples if (fault := _fault(sample))]
    more = {"value": len(faults), "unit": "1"}
    if faults:
        return judging.critical("CVM-11", faults[0], evidence=faults, **more)
    read_bytes = sum(sample.read_bytes or 0 for _, sample in samples)
    return judging.ok("CVM-11", f"{len(samples)} files read whole, {read_bytes / 1e6:.3g} MB", **more)


def _kind(mounts: Sequence[RepositoryMount], judging: Judging) -> CheckResult:
    if not mounts:
        return judging.skip("CVM-12", "no repository can be listed")
    without = [mount.repository for mount in mounts if not mount.has_attributes and not mount.is_protected]
    if not without:
        return judging.ok("CVM-12", "all mounts carry the client's attributes")
    reasons = sorted({reason for mount in mounts for reason in mount.unreadable.values()})
    evidence = [f"errno: {', '.join(reasons)}"] if reasons else []
    return judging.ok(
        "CVM-12",
        f"{without[0]} has no attributes of a CVMFS client: a re-export by NFS or a CSI driver",
        evidence=evidence,
    )


def _repositories(facts: CvmfsMountFacts, judging: Judging) -> CheckResult:
    wanted = facts.repositories or ()
    usable = {mount.repository for mount in facts.mounted}
    missing = [mount for mount in wanted if mount.repository not in usable]
    excused = {name for name in IMAGES if usable & IMAGES and name not in usable}
    evidence = [f"{mount.repository}: {_state(mount)}" for mount in wanted]
    if facts.others:
        evidence.append(f"also below {facts.mount_path}: {', '.join(facts.others)}")
    counted = [mount.repository for mount in missing if mount.repository not in excused]
    more = {"value": len(usable), "unit": "1", "evidence": evidence}
    if not counted:
        return judging.ok("CVM-13", f"{len(usable)} of {len(wanted)} repositories are mounted", **more)
    essential = wanted[0].repository in counted
    names = ", ".join(counted)
    hint = None if usable else _without_mount(facts, judging)
    verdict = judging.critical if essential else judging.warn
    return verdict("CVM-13", f"not mounted: {names}", hint=hint, **more)


def _state(mount: RepositoryMount) -> str:
    return {
        "readable": f"mounted, {mount.entries} names",
        "empty": "an empty directory",
        "absent": "no such directory",
        "failed": mount.error or "cannot be listed",
    }[mount.state]


def _without_mount(facts: CvmfsMountFacts, judging: Judging) -> str:
    """What to do on a node without any mount: what it takes to mount, or to go without."""
    fuse = "/dev/fuse is there" if facts.fuse_device else "/dev/fuse is not there, which it needs"
    http = judging.facts_of("cvmfs", CvmfsFacts)
    if http is None or http.newest is None:
        reach = OVER_HTTP
    elif http.newest:
        reach = f"over HTTP {http.newest[0].repository} can be had and verified from here"
    else:
        reach = "over HTTP no repository could be verified from here either"
    return (
        f"install the client and mount, or bind {facts.mount_path} into the container; without root, cvmfsexec mounts by "
        f"user namespaces and FUSE ({fuse}); {reach}"
    )
