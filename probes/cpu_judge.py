"""Verdicts on the facts of the `cpu` probe. Pure functions."""

from __future__ import annotations

from probes import isa, processor_models
from probes.judging import Judging
from profiles.checks import CheckResult
from profiles.facts.batch import BatchFacts
from profiles.facts.cpu import CpuFacts

SELF_SCALING_DRIVERS = frozenset({"intel_pstate", "amd-pstate-epp"})
"""Drivers in which "powersave" lets the processor choose by load (Linux admin-guide/pm/intel_pstate.rst)."""

SAVING_PREFERENCES = frozenset({"power", "balance_power"})
"""Energy preferences that trade speed for power."""


def judge(facts: CpuFacts, judging: Judging) -> list[CheckResult]:
    """One verdict for each check of the catalogue."""
    return [
        _topology(facts, judging),
        _architecture(facts, judging),
        _level(facts, judging),
        _masked(facts, judging),
        _frequency(facts, judging),
        _mitigations(facts, judging),
        _scram(facts, judging),
    ]


def _topology(facts: CpuFacts, judging: Judging) -> CheckResult:
    cores, threads = facts.physical_cores, facts.threads_per_core
    if cores is None or threads is None:
        return judging.unknown("CPU-02", f"the cores cannot be counted: {facts.absent.get('physical_cores')}")
    evidence = [
        f"NUMA node {node.node}: CPUs {node.cpus or 'none'}"
        + (f", {node.memory_bytes / 2**30:.1f} GiB" if node.memory_bytes is not None else "")
        for node in (facts.numa_nodes or ())[:16]
    ]
    evidence += [
        f"L{cache.level} {cache.kind}: {cache.instances or 'some'} × {cache.size_bytes // 1024} KiB"
        for cache in facts.caches or ()
    ]
    packages = "" if facts.packages is None else f"{_many(facts.packages, 'package')}, "
    smt = f"{threads} threads per core" if threads > 1 else "no SMT"
    nodes = "" if facts.numa_nodes is None else f", {_many(len(facts.numa_nodes), 'NUMA node')}"
    summary = f"{packages}{_many(cores, 'core')}, {smt}{nodes}"
    batch = judging.facts_of("batch", BatchFacts)
    claims = [] if batch is None else [claim for claim in batch.claims if claim.cores is not None]
    most = max(claims, key=lambda claim: claim.cores or 0, default=None)
    if most is not None and most.cores is not None and threads > 1 and most.cores > cores:
        return judging.warn(
            "CPU-02",
            f"{most.source} granted {most.cores:g} cores, but there are {cores} with {threads} threads each",
            value=cores,
            unit="cores",
            evidence=[*most.evidence, *evidence],
        )
    return judging.ok("CPU-02", summary, value=cores, unit="cores", evidence=evidence)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _architecture(facts: CpuFacts, judging: Judging) -> CheckResult:
    if facts.machine is None:
        return judging.unknown("CPU-03", f"the architecture is not known: {facts.absent.get('machine')}")
    if facts.condor_arch is None:
        return judging.critical("CPU-03", f"there is no CMSSW for {facts.machine}", value=facts.machine)
    return judging.ok("CPU-03", f"{facts.machine} (HTCondor: {facts.condor_arch})", value=facts.machine)


def _level(facts: CpuFacts, judging: Judging) -> CheckResult:
    if facts.machine is None:
        return judging.unknown("CPU-04", "the architecture is not known")
    if facts.machine != "x86_64":
        name = facts.archspec_name or facts.model_name or "not named"
        vector = "" if facts.sve is None else ", SVE2" if facts.sve2 else ", SVE" if facts.sve else ", no SVE"
        return judging.ok("CPU-04", f"{facts.machine} has no levels: {name}{vector}")
    level = facts.x86_64_level
    if level is None:
        return judging.unknown("CPU-04", f"the flags are not known: {facts.absent.get('x86_64_level')}")
    evidence = [f"{name} lacks {', '.join(missing)}" for name, missing in facts.x86_64_missing.items()]
    evidence += [
        f"archspec {facts.archspec_name}, not {better.name}: lacks {', '.join(better.missing)}"
        for better in facts.archspec_why_not[:4]
    ]
    reached = f"x86-64-v{level}" if level else "below x86-64-v1"
    name = f" ({facts.archspec_name})" if facts.archspec_name else ""
    if level < judging.number("CPU-04", "critical_below_level"):
        return judging.critical(
            "CPU-04", f"{reached}{name} is too old for CMSSW", value=level, evidence=evidence
        )
    if level < judging.number("CPU-04", "warn_below_level"):
        summary = f"{reached}{name}: new releases run slower or not at all"
        return judging.warn("CPU-04", summary, value=level, evidence=evidence)
    return judging.ok("CPU-04", f"{reached}{name}", value=level, evidence=evidence)


def _masked(facts: CpuFacts, judging: Judging) -> CheckResult:
    if facts.machine is not None and facts.machine != "x86_64":
        return judging.skip("CPU-05", f"{facts.machine} has no levels that flags could mask")
    if facts.flags is None or facts.x86_64_level is None:
        return judging.unknown("CPU-05", "the flags are not known")
    line = processor_models.known(facts.vendor, facts.model_name, facts.family, facts.model)
    if line is None:
        return judging.skip(
            "CPU-05", f"what {facts.model_name or 'this processor'} should show is not in our table"
        )
    if facts.x86_64_level < line.x86_64_level:
        missing = isa.missing_of(facts.flags).get(line.x86_64_level, ())
        return judging.warn(
            "CPU-05",
            f"{line.line} reaches x86-64-v{line.x86_64_level}, but the flags only show v{facts.x86_64_level}",
            value=facts.x86_64_level,
            evidence=[f"missing: {', '.join(missing)}"],
        )
    hidden = [better for better in facts.archspec_why_not if better.name == line.archspec]
    if hidden:
        # Seen in clouds that hide pku: costs EESSI's best build but no level (archspec-json#38).
        summary = f"{line.line} shows as {facts.archspec_name}: {', '.join(hidden[0].missing)} hidden, level not touched"
        return judging.ok("CPU-05", summary, evidence=["archspec-json#38"])
    return judging.ok("CPU-05", f"the flags are those of {line.line}")


def _frequency(facts: CpuFacts, judging: Judging) -> CheckResult:
    throttled = facts.throttle_events
    evidence = [] if throttled is None else [f"thermal throttling events since boot: {throttled}"]
    if facts.governors is None:
        if throttled:
            return judging.ok(
                "CPU-06", f"no governor to be seen; throttled {throttled} times", evidence=evidence
            )
        return judging.skip("CPU-06", f"no governor: {facts.absent.get('governors')}")
    driver = facts.frequency_driver or "a driver without a name"
    governors = ", ".join(facts.governors)
    top = "" if facts.frequency_max_mhz is None else f", up to {facts.frequency_max_mhz:.0f} MHz"
    saving = sorted(SAVING_PREFERENCES & set(facts.energy_preferences or ()))
    if "powersave" in facts.governors and facts.frequency_driver not in SELF_SCALING_DRIVERS:
        return judging.warn(
            "CPU-06", f"governor {governors} of {driver} holds the lowest frequency", evidence=evidence
        )
    if saving and "performance" not in facts.governors:
        return judging.warn(
            "CPU-06", f"{driver} is told to save power ({', '.join(saving)})", evidence=evidence
        )
    events = f"; throttled {throttled} times since boot" if throttled else ""
    return judging.ok("CPU-06", f"governor {governors} of {driver}{top}{events}", evidence=evidence)


def _mitigations(facts: CpuFacts, judging: Judging) -> CheckResult:
    where = {True: "virtual machine", False: "bare metal", None: "virtual machine or not: cannot be told"}
    kind = where[facts.virtualised] + (f" by {facts.hypervisor}" if facts.hypervisor else "")
    if facts.mitigations is None:
        return judging.ok(
            "CPU-07", f"{kind}; mitigations are not listed", evidence=[facts.absent.get("mitigations", "")]
        )
    open_ones = {name: text for name, text in facts.mitigations.items() if text.startswith("Vulnerable")}
    return judging.ok(
        "CPU-07",
        f"{kind}; {len(open_ones) or 'no'} open of {len(facts.mitigations)} known CPU vulnerabilities",
        value=len(open_ones),
        evidence=[f"{name}: {text}" for name, text in open_ones.items()],
    )


def _scram(facts: CpuFacts, judging: Judging) -> CheckResult:
    builds = facts.scram_architectures_in_containers
    if builds is None:
        why = facts.absent.get("scram_architectures_in_containers")
        return judging.unknown("CPU-08", f"what runs here is not known: {why}")
    here = facts.scram_architectures
    evidence = [
        f"in a container of its OS: {', '.join(builds) or 'none'}",
        f"right here, by the C library ({facts.libc or 'not known'}): {', '.join(here or ()) or 'none'}",
    ]
    if not builds:
        return judging.warn("CPU-08", "no build of CMSSW runs here", value=0, evidence=evidence)
    wanted = str(judging.bound("CPU-08", "production_amd64").value)
    if facts.machine == "x86_64" and wanted not in builds:
        summary = f"the production architecture {wanted} does not run here; {builds[-1]} does"
        return judging.warn("CPU-08", summary, value=len(builds), evidence=evidence)
    best = wanted if wanted in builds else builds[-1]
    return judging.ok(
        "CPU-08", f"{len(builds)} in containers, {best} among them", value=len(builds), evidence=evidence
    )
