"""Cores granted: how many CPU cores a job may use here, by every source, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence

from probes.granted import SOURCE_WORDS, cores, least, number
from probes.host import Host
from probes.judging import Judging
from probes.settings import Settings
from probes.spec import Bound, Check, Probe
from profiles.checks import CheckResult
from profiles.facts.cores import CoresFacts

TOLERANCE_CORES = 0.005
"""Quotas are whole microseconds of a period, so a fraction such as 1/3 core is never met exactly."""

CHECKS = (
    Check(
        id="CPU-01",
        title="usable cores",
        rule="OK if what the batch system claims is no more than affinity, cpuset and the quotas of all "
        "cgroup levels allow; WARNING if they allow less than claimed; CRITICAL if less than one core is "
        "left.",
        origin="DIRAC #4175, #3545, #3739; CPython #149452; joblib/loky #634",
        hint="Slurm: enable task/cgroup with ConstrainCores; HTCondor: set BASE_CGROUP on cgroup v2; "
        "Kubernetes: set CPU requests equal to limits, in whole cores.",
        why="A payload starts one thread per core that it believes it has. If it believes in more than the "
        "kernel grants, its threads are throttled or share CPUs, and the job runs into its wall-time limit. "
        "If it counts the machine's cores instead of the slot's, it takes those of other jobs. The claims of "
        "batch systems and the limits of the kernel come from different places; only their minimum is safe "
        "to use.",
        bounds=(
            Bound(
                name="critical_below_cores",
                default=1.0,
                origin="policy: a CMS job has at least one running thread",
            ),
        ),
    ),
)


def gather(host: Host, settings: Settings) -> CoresFacts:
    """Ask every source; never raises."""
    return cores(host, settings)


def judge(facts: CoresFacts, judging: Judging) -> Sequence[CheckResult]:
    """CPU-01 from what is claimed and what is enforced."""
    effective = facts.effective_cores
    if effective is None:
        return [
            judging.unknown("CPU-01", f"the cores are not known: {facts.absent.get('effective_cores', '')}")
        ]
    evidence = [facts.why, *_evidence(facts)]
    enforced, claimed = facts.enforced_cores, facts.claimed_cores
    if effective < judging.number("CPU-01", "critical_below_cores"):
        verdict, text = (
            judging.critical,
            f"only {number(effective)} of a core is granted ({facts.limited_by})",
        )
    elif claimed is None:
        verdict, text = judging.ok, f"{_cores(effective)} usable; no batch system claims a number"
    elif enforced is None:
        verdict, text = judging.ok, f"{_cores(effective)} claimed; what the kernel enforces is not known"
    elif claimed > enforced + TOLERANCE_CORES:
        tight, claim = least(facts.sources, "enforced"), least(facts.sources, "claim")
        limit = SOURCE_WORDS.get(tight.name, tight.name) if tight else "the kernel"
        who = claim.name if claim else "the batch system"
        verdict, text = (
            judging.warn,
            f"{who} claims {number(claimed)} cores, {limit} allows {number(enforced)}",
        )
    elif claimed < enforced - TOLERANCE_CORES:
        verdict = judging.ok
        text = f"{_cores(claimed)} claimed, but not confined to: the kernel allows {number(enforced)}"
    else:
        verdict, text = judging.ok, f"{_cores(effective)} claimed and enforced"
    return [verdict("CPU-01", text, value=effective, unit="cores", evidence=evidence)]


def summarise(facts: CoresFacts) -> str:
    """E.g. "4 of 64 cores (quota)"."""
    if facts.effective_cores is None:
        return "not known"
    present = "" if facts.host_cpus is None else f" of {facts.host_cpus}"
    return f"{number(facts.effective_cores)}{present} cores ({facts.limited_by})"


def _evidence(facts: CoresFacts) -> list[str]:
    lines = []
    for source in facts.sources:
        said = "no number" if source.cores is None else number(source.cores)
        if source.cpus is not None:
            said += f" (CPUs {source.cpus})"
        where = "; ".join(source.evidence) or source.note or ""
        lines.append(f"{source.name}: {said} – {where}")
    return lines + list(facts.problems)


def _cores(value: float) -> str:
    return f"{number(value)} core{'' if value == 1 else 's'}"


PROBE = Probe(
    name="cores",
    title="CPU cores granted, by every source",
    section="Slot",
    facts_model=CoresFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    # A claim may have to be fetched from a batch daemon or a metadata service that is slow to answer.
    deadline_s=10.0,
)
