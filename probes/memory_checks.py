"""The memory checks of the catalogue, and their pure judgements."""

from __future__ import annotations

from collections.abc import Sequence

from probes.host import KIB, MIB
from probes.judging import Judging
from probes.spec import Bound, Check
from profiles.checks import CheckResult
from profiles.facts.cores import CoresFacts
from profiles.facts.memory import MemoryFacts

GB = 1000**3
GIB = 1024 * MIB

LARGEST_PAGE_BYTES = 64 * KIB
"""The kernel rounds limits down to whole pages, 64 KiB on POWER and some ARM; less is no difference."""

CHECKS = (
    Check(
        id="MEM-01",
        title="effective memory",
        rule="WARNING if a batch system claims to have granted more than the machine, the cgroups of all "
        "levels and RLIMIT_AS allow; else OK, with every source as evidence.",
        origin="psutil #2100; HTCondor enforces its limits by the same cgroup files",
        hint="let the batch system set the cgroup limit from what it grants; Kubernetes: set memory requests "
        "equal to limits",
        why="A job that uses what it was promised is killed when the limit of the kernel, or of a parent "
        "cgroup that it cannot see, is lower. The batch system then reports a failure of the job.",
    ),
    Check(
        id="MEM-02",
        title="memory per core",
        rule="Effective memory over effective cores (at least one): OK from 2 GB, WARNING below, CRITICAL "
        "below 1 GB.",
        origin="CMS VO card: 2 GB per core; SAM worker-node test",
        hint="configure slots with at least 2 GB per core",
        why="CMS reconstruction and simulation need some 2 GB per core. With less, jobs swap or are killed, "
        "or the site can only run single tasks in slots meant for several.",
        bounds=(
            Bound(name="warn_below_bytes_per_core", default=2 * GB, origin="CMS VO card (2 GB/core)"),
            Bound(
                name="critical_below_bytes_per_core",
                default=1 * GB,
                origin="policy: half of the VO card's figure; no production workflow fits",
            ),
        ),
    ),
    Check(
        id="MEM-03",
        title="memory pressure",
        rule="WARNING if the own cgroup has killed processes for memory, or if all its tasks waited for "
        "memory in more than the given share of the last 10 s.",
        origin="policy; kernel documentation cgroup-v2 (memory.events) and accounting/psi",
        hint="look for the killed process in the kernel log (dmesg | grep -i oom) and compare the slot's "
        "memory limit with what its jobs use",
        why="Every OOM kill is a process of a job that vanished without a message of its own. Sustained "
        "pressure comes before the kills: the job then spends its time waiting for pages.",
        bounds=(
            Bound(name="warn_above_oom_kills", default=0, origin="policy: one kill is one broken job"),
            Bound(
                name="warn_above_full_pressure_percent",
                default=60.0,
                origin="oomd.conf(5): DefaultMemoryPressureLimit, from which systemd-oomd kills",
            ),
        ),
    ),
    Check(
        id="MEM-04",
        title="shared memory",
        rule="WARNING unless /dev/shm exists, a file can be written there, and 64 MB are free.",
        origin="OSG SHM_AVAILABLE",
        hint="mount a tmpfs on /dev/shm; Kubernetes: an emptyDir with medium Memory; Docker: --shm-size",
        why="Python's multiprocessing, MPI and machine-learning frameworks exchange data through /dev/shm "
        "and end with SIGBUS when it is full.",
        bounds=(Bound(name="warn_below_bytes", default=64_000_000, origin="OSG SHM_AVAILABLE: 64 MB"),),
    ),
    Check(
        id="MEM-05",
        title="address space",
        rule="WARNING if RLIMIT_AS is set below 2 000 000 kB.",
        origin="OSG ulimits-check (vsize ≥ 2 000 000 kB)",
        hint="remove `ulimit -v` from the batch system's prolog and limit memory by cgroup",
        why="Programs reserve several times the address space that they use: thread stacks, malloc arenas, "
        "mapped libraries. With a tight limit they fail to start threads or to load libraries.",
        bounds=(
            Bound(
                name="warn_below_bytes",
                default=2_000_000 * KIB,
                origin="OSG ulimits-check: 2 000 000 kB, as `ulimit -v` counts (1024 bytes)",
            ),
        ),
    ),
)


def judge(facts: MemoryFacts, judging: Judging) -> Sequence[CheckResult]:
    """MEM-01 … MEM-05."""
    return [
        _effective(facts, judging),
        _per_core(facts, judging),
        _pressure(facts, judging),
        _shared_memory(facts, judging),
        _address_space(facts, judging),
    ]


def summarise(facts: MemoryFacts) -> str:
    """E.g. "16.0 of 256.0 GB (cgroup)"."""
    if facts.effective_bytes is None:
        return "not known"
    present = "" if facts.host_bytes is None else f" of {_gb(facts.host_bytes)}"
    return f"{_gb(facts.effective_bytes)}{present} ({facts.limited_by})"


def _gb(size_bytes: float) -> str:
    return f"{size_bytes / GB:.1f} GB" if size_bytes >= GB / 10 else f"{size_bytes / 1000**2:.1f} MB"


def _evidence(facts: MemoryFacts) -> list[str]:
    lines = []
    for source in facts.sources:
        said = "no limit" if source.limit_bytes is None else f"{source.limit_bytes} bytes"
        where = "; ".join(source.evidence if source.limit_bytes is not None else ()) or source.note or ""
        lines.append(f"{source.name}: {said} – {where}")
    return lines + list(facts.problems)


def _effective(facts: MemoryFacts, judging: Judging) -> CheckResult:
    size = facts.effective_bytes
    if size is None:
        return judging.unknown(
            "MEM-01", f"the memory is not known: {facts.absent.get('effective_bytes', '')}"
        )
    claimed = facts.claimed_bytes
    bounds = [bound for bound in (facts.enforced_bytes, facts.host_bytes) if bound is not None]
    allowed = min(bounds, default=None)
    if claimed is None:
        verdict, text = (
            judging.ok,
            f"{_gb(size)} usable ({facts.limited_by}); no batch system claims an amount",
        )
    elif allowed is not None and claimed > allowed + LARGEST_PAGE_BYTES:
        verdict, text = judging.warn, f"{_gb(claimed)} claimed, but {facts.limited_by} allows {_gb(size)}"
    elif facts.enforced_bytes is None or claimed < facts.enforced_bytes - LARGEST_PAGE_BYTES:
        verdict, text = (
            judging.ok,
            f"{_gb(claimed)} claimed, but not confined to: no limit of that size is set",
        )
    else:
        verdict, text = judging.ok, f"{_gb(size)} claimed and enforced"
    return verdict("MEM-01", text, value=size, unit="B", evidence=_evidence(facts))


def _per_core(facts: MemoryFacts, judging: Judging) -> CheckResult:
    cores = judging.facts_of("cores", CoresFacts)
    if facts.effective_bytes is None:
        return judging.unknown("MEM-02", "the memory is not known, so neither is memory per core")
    if cores is None or cores.effective_cores is None:
        return judging.unknown("MEM-02", "the number of cores is not known, so neither is memory per core")
    # A job has at least one core's worth of work, however small a fraction of a core it was granted.
    per_core = facts.effective_bytes / max(cores.effective_cores, 1.0)
    text = f"{per_core / GB:.2f} GB per core"
    evidence = [
        f"{facts.effective_bytes} bytes ({facts.limited_by})",
        f"{cores.effective_cores:g} cores ({cores.limited_by})",
    ]
    if per_core < judging.number("MEM-02", "critical_below_bytes_per_core"):
        verdict = judging.critical
    elif per_core < judging.number("MEM-02", "warn_below_bytes_per_core"):
        verdict = judging.warn
    else:
        verdict = judging.ok
    return verdict("MEM-02", text, value=int(per_core), unit="B/core", evidence=evidence)


def _pressure(facts: MemoryFacts, judging: Judging) -> CheckResult:
    kills, full = facts.oom_kills, facts.pressure_full_percent
    if kills is None and full is None:
        reason = f"{facts.absent.get('oom_kills', '')}; {facts.absent.get('pressure_full_percent', '')}"
        return judging.skip("MEM-03", f"this kernel tells neither OOM kills nor pressure: {reason}"[:4096])
    evidence = []
    if kills is not None:
        evidence.append(f"{facts.oom_kills_path}: oom_kill {kills}")
    if full is not None:
        evidence.append(f"{facts.pressure_path}: full avg10={full:g}")
    if kills is not None and kills > judging.number("MEM-03", "warn_above_oom_kills"):
        text = f"{kills} process{'es' if kills > 1 else ''} of this cgroup died for lack of memory"
        return judging.warn("MEM-03", text, value=kills, unit="1", evidence=evidence)
    if full is not None and full > judging.number("MEM-03", "warn_above_full_pressure_percent"):
        text = f"all tasks waited for memory in {full:g} % of the last 10 s"
        return judging.warn("MEM-03", text, value=full, unit="%", evidence=evidence)
    killed = "OOM kills are not counted here" if kills is None else "no process was killed for memory"
    waited = "pressure is not known" if full is None else f"pressure {full:g} %"
    return judging.ok("MEM-03", f"{killed}, {waited}", value=kills, unit="1", evidence=evidence)


def _shared_memory(facts: MemoryFacts, judging: Judging) -> CheckResult:
    shm = facts.shared_memory
    if shm is None:
        why = facts.absent.get("shared_memory", "")
        return judging.warn("MEM-04", f"no use of /dev/shm: {why}")
    free = f"{_gb(shm.available_bytes)} of {_gb(shm.total_bytes)} free in /dev/shm"
    if not shm.writable:
        text = f"cannot write to /dev/shm: {shm.detail or 'what was read back differs'}"
        return judging.warn("MEM-04", text, value=shm.available_bytes, unit="B", evidence=(free,))
    verdict = (
        judging.warn if shm.available_bytes < judging.number("MEM-04", "warn_below_bytes") else judging.ok
    )
    return verdict(
        "MEM-04", free, value=shm.available_bytes, unit="B", evidence=("statvfs and a written file",)
    )


def _address_space(facts: MemoryFacts, judging: Judging) -> CheckResult:
    size = facts.address_space_bytes
    if size is None:
        why = facts.absent.get("address_space_bytes", "RLIMIT_AS is not set")
        if why != "RLIMIT_AS is not set":
            return judging.unknown("MEM-05", f"RLIMIT_AS could not be read: {why}")
        return judging.ok("MEM-05", "the address space is not limited", evidence=("RLIMIT_AS",))
    verdict = judging.warn if size < judging.number("MEM-05", "warn_below_bytes") else judging.ok
    return verdict(
        "MEM-05", f"address space limited to {_gb(size)}", value=size, unit="B", evidence=("RLIMIT_AS",)
    )
