"""Disks as a job finds them: which directory is scratch and who says so, its space, proof by writing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from probes import disk_checks, mounts
from probes.claims import read_all
from probes.errors import HostError
from probes.host import KIB, Host
from probes.private_text import PrivateText
from probes.settings import Settings
from probes.spec import Probe
from profiles.facts.batch import ClaimSource, SlotClaim
from profiles.facts.disk import Directory, DiskFacts, WriteTest

CHECKS: Final = disk_checks.CHECKS

TMP: Final = "/tmp"  # noqa: S108 - looked at, nothing is put there under a guessable name
TMP_TEST_BYTES: Final = 4 * KIB
MAX_BYTES: Final = 2**63 - 1


class Choice(NamedTuple):
    """The directory that a job would use for scratch."""

    path: str
    source: str
    by_batch: bool
    """Named by the site's configuration or by the batch system, so the site has stood for it."""


def gather(host: Host, settings: Settings) -> DiskFacts:
    """Find the scratch directory, look at it and at /tmp, and write a test file into each."""
    absent: dict[str, str] = {}
    private = PrivateText(host)
    claims = read_all(host, settings)
    mounted = _mounts(host, absent)
    choice = choose(host, settings, claims)
    test_bytes = settings.disk.write_test_bytes
    scratch: Directory | None = None
    scratch_write: WriteTest | None = None
    if choice is None:
        for name in ("scratch", "scratch_source", "scratch_by_batch", "scratch_write"):
            absent[name] = "neither the configuration, a batch system, $TMPDIR nor $PWD names a directory"
    else:
        scratch = look(host, choice.path, mounted, private)
        scratch_write = _write(host, choice.path, test_bytes, private, absent, "scratch_write")
    claim_bytes, claim_source = granted(claims)
    if claim_bytes is None:
        absent["scratch_claim_bytes"] = absent["scratch_claim_source"] = (
            "the batch system does not say" if claims else "not in a batch slot"
        )
    tmp_bytes = min(TMP_TEST_BYTES, test_bytes)
    return DiskFacts(
        scratch=scratch,
        scratch_source=None if choice is None else choice.source,
        scratch_by_batch=None if choice is None else choice.by_batch,
        scratch_claim_bytes=claim_bytes,
        scratch_claim_source=claim_source,
        scratch_write=scratch_write,
        tmp=look(host, TMP, mounted, private),
        tmp_write=_write(host, TMP, tmp_bytes, private, absent, "tmp_write"),
        file_size_limit_bytes=_file_size_limit(host, absent),
        mounts_seen=None if mounted is None else len(mounted),
        absent=absent,
    )


def choose(host: Host, settings: Settings, claims: Iterable[SlotClaim]) -> Choice | None:
    """The scratch directory: configuration, batch system, $TMPDIR, working directory, in this order.

    The first that is named counts, whether it is there or not: a job would be told the same.
    """
    if settings.disk.scratch_path:
        return Choice(settings.disk.scratch_path, "configuration disk.scratch_path", by_batch=True)
    for claim in claims:
        if claim.scratch_directory:
            return Choice(claim.scratch_directory, f"claim of {claim.source.value}", by_batch=True)
    for name, by_batch in (("SLURM_TMPDIR", True), ("TMPDIR", False), ("PWD", False)):
        try:
            value = (host.env(name) or "").strip()
        except HostError:
            continue
        if value.startswith("/"):
            return Choice(value, f"${name}", by_batch=by_batch)
    return None


def granted(claims: Iterable[SlotClaim]) -> tuple[int | None, str | None]:
    """The smallest scratch space that a source grants, and that source."""
    sizes = [(claim.scratch_bytes, claim.source) for claim in claims if claim.scratch_bytes is not None]
    least: tuple[int | None, ClaimSource | None] = min(sizes, key=lambda item: item[0], default=(None, None))
    return least[0], None if least[1] is None else least[1].value


def look(host: Host, path: str, mounted: tuple[mounts.Mount, ...] | None, private: PrivateText) -> Directory:
    """Space, inodes and kind of the file system that holds a directory."""
    shown = private.hide(path)
    try:
        status, space = host.stat(path), host.space(path)
    except HostError as error:
        return Directory(path=shown, error_name=error.errno_name, error=private.hide(error.text))
    if status.kind != "directory":
        return Directory(path=shown, error_name="ENOTDIR", error=f"it is a {status.kind}, not a directory")
    mount = None if mounted is None else mounts.holding(mounted, path, status.device_id)
    # A file system without inodes (btrfs, some network file systems) reports 0 of 0.
    inodes = _amount(space.inodes) or None
    return Directory(
        path=shown,
        total_bytes=_amount(space.total_bytes),
        available_bytes=_amount(space.available_bytes),
        inodes=inodes,
        inodes_available=None if inodes is None else _amount(space.inodes_available),
        read_only=space.read_only,
        filesystem_type=None if mount is None else private.hide(mount.type),
        mount_point=None if mount is None else private.hide(mount.mount_point),
    )


def _amount(value: object) -> int | None:
    """A count as statvfs(3) gives it; what cannot be one (some FUSE servers, a damaged recording) is None."""
    return value if isinstance(value, int) and 0 <= value <= MAX_BYTES else None


def _write(
    host: Host, path: str, size_bytes: int, private: PrivateText, absent: dict[str, str], name: str
) -> WriteTest | None:
    if size_bytes == 0:
        absent[name] = "disk.write_test_bytes is 0"
        return None
    try:
        trial = host.try_write(path, size_bytes)
    except HostError as error:
        if error.errno_name == "ENOTRECORDED":
            absent[name] = error.text
            return None
        return WriteTest(
            asked_bytes=size_bytes,
            written_bytes=0,
            verified=False,
            error_name=error.errno_name,
            error=private.hide(error.text),
        )
    return WriteTest(
        asked_bytes=size_bytes,
        written_bytes=trial.written_bytes,
        verified=trial.works and trial.verified,
        error_name=trial.errno_name,
        error=None if trial.detail is None else private.hide(trial.detail),
        write_s=trial.write_s,
        read_s=trial.read_s,
    )


def _mounts(host: Host, absent: dict[str, str]) -> tuple[mounts.Mount, ...] | None:
    try:
        found = mounts.read(host)
    except HostError as error:
        absent["mounts_seen"] = error.text
        return None
    if not found:
        absent["mounts_seen"] = f"{mounts.PATH} has no line that can be understood"
    return found or None


def _file_size_limit(host: Host, absent: dict[str, str]) -> int | None:
    try:
        soft = host.limit("FSIZE").soft
    except HostError as error:
        absent["file_size_limit_bytes"] = error.text
        return None
    if soft is None or not 0 <= soft <= MAX_BYTES:
        absent["file_size_limit_bytes"] = disk_checks.NO_LIMIT
        return None
    return soft


PROBE = Probe(
    name="disk",
    title="Scratch space and temporary files",
    section="Slot",
    facts_model=DiskFacts,
    gather=gather,
    judge=disk_checks.judge,
    summarise=disk_checks.summarise,
    checks=CHECKS,
    # A write test of 16 MiB at 1 MB/s still gets an answer, which is worth more than a kill.
    deadline_s=20.0,
)
