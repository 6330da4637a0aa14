"""Probe `cpu`: what the processors are and which builds of CMSSW they can run."""

from __future__ import annotations

from typing import Any

from probes import (
    cpu_state,
    isa,
    microarchitecture,
    processors,
    scram,
    topology,
)
from probes.cpu_checks import CHECKS
from probes.cpu_judge import judge
from probes.errors import HostError
from probes.host import KIB, Host
from probes.settings import Settings
from probes.spec import Probe
from profiles import cpulist
from profiles.facts.cpu import ArmCore, Cache, CpuFacts, NextTarget, NumaNode

CONDOR_ARCH = {"x86_64": "X86_64", "aarch64": "aarch64", "ppc64le": "ppc64le"}
"""uname -m → Arch of HTCondor's machine ad."""

_CPUINFO = "/proc/cpuinfo"


def gather(host: Host, settings: Settings) -> CpuFacts:  # noqa: ARG001 - the signature of every probe
    """Read /proc/cpuinfo, sysfs and uname. Raises nothing: what cannot be read is None with its reason."""
    found: dict[str, Any] = {}
    why: dict[str, str] = {}
    machine = _machine(host, found, why)
    cpu = _processors(host, why)
    _names(cpu, machine, found, why)
    _instruction_sets(cpu, machine, found, why)
    _topology(host, cpu, found, why)
    _state(host, cpu, found, why)
    _builds(host, machine, found, why)
    given = {name: found.get(name) for name in CpuFacts.model_fields if name != "absent"}
    for name in ("x86_64_missing", "archspec_why_not"):
        if given[name] is None:
            del given[name]
    for name, value in given.items():
        if value is None:
            why.setdefault(name, f"{_CPUINFO} does not say")
    return CpuFacts(**given, absent={name: text for name, text in why.items() if given.get(name) is None})


def _machine(host: Host, found: dict[str, Any], why: dict[str, str]) -> str | None:
    try:
        machine = host.system_name().machine[:64]
    except HostError as error:
        why["machine"] = why["condor_arch"] = error.text
        return None
    found["machine"] = machine
    found["condor_arch"] = CONDOR_ARCH.get(machine)
    why["condor_arch"] = f"HTCondor has no name for {machine} among CMS's architectures"
    return machine


def _processors(host: Host, why: dict[str, str]) -> processors.Processors:
    try:
        return processors.parse(host.read_text(_CPUINFO, limit_bytes=processors.MAX_BYTES))
    except HostError as error:
        for name in ("vendor", "model_name", "flags", "x86_64_level", "archspec_name"):
            why[name] = error.text
        return processors.parse("")


def _names(
    cpu: processors.Processors, machine: str | None, found: dict[str, Any], why: dict[str, str]
) -> None:
    arm = machine == "aarch64"
    cores = tuple(
        ArmCore(
            implementer=core.implementer,
            implementer_name=processors.ARM_IMPLEMENTERS.get(core.implementer),
            part=core.part,
            part_name=processors.ARM_PARTS.get((core.implementer, core.part)),
            variant=core.variant,
            revision=core.revision,
        )
        for core in cpu.arm
    )
    vendor, name = cpu.vendor, cpu.model_name
    if arm and cores:
        vendor = microarchitecture.arm_vendor(cores[0].implementer) or cores[0].implementer_name
        name = name or cores[0].part_name
    elif cpu.power_generation is not None:
        vendor = "IBM"
    found.update(
        vendor=vendor, model_name=name, arm_cores=cores or None, power_generation=cpu.power_generation
    )
    found.update(family=cpu.family, model=cpu.model, stepping=cpu.stepping)
    not_here = f"not a property of {machine or 'this'} processors"
    if machine != "x86_64":
        why.update(family=not_here, model=not_here, stepping=not_here)
    if not arm:
        why["arm_cores"] = not_here
    if not (machine or "").startswith("ppc"):
        why["power_generation"] = not_here


def _instruction_sets(
    cpu: processors.Processors, machine: str | None, found: dict[str, Any], why: dict[str, str]
) -> None:
    flags = cpu.flags
    found["flags"] = None if flags is None else tuple(sorted(flags))
    not_here = f"not a property of {machine or 'this'} processors"
    if (machine or "").startswith("ppc"):
        why["flags"] = not_here
    if machine == "x86_64" and flags is not None:
        found["x86_64_level"] = isa.level_of(flags)
        found["x86_64_missing"] = {f"v{level}": names for level, names in isa.missing_of(flags).items()}
    elif machine != "x86_64":
        why["x86_64_level"] = not_here
    if machine == "aarch64" and flags is not None:
        found.update(sve="sve" in flags, sve2="sve2" in flags)
    elif machine != "aarch64":
        why.update(sve=not_here, sve2=not_here)
    if machine is None or (flags is None and cpu.power_generation is None):
        return
    match = microarchitecture.match(
        microarchitecture.Processor(
            machine=machine,
            vendor=found["vendor"],
            features=flags or frozenset(),
            generation=cpu.power_generation or 0,
            part=cpu.arm[0].part if cpu.arm else None,
        )
    )
    if match is None:
        why["archspec_name"] = f"we have no rule for {machine}"
        return
    found["archspec_name"] = match.name
    found["archspec_why_not"] = tuple(
        NextTarget(name=name, missing=missing) for name, missing in match.next_targets
    )


def _topology(host: Host, cpu: processors.Processors, found: dict[str, Any], why: dict[str, str]) -> None:
    seen = topology.read(host)
    found.update(
        online_cpus=(cpu.online or None) if seen.online is None else len(seen.online),
        packages=seen.packages,
        physical_cores=seen.cores,
        threads_per_core=seen.threads_per_core,
    )
    if seen.online is None and cpu.cores:  # a container without sysfs
        found.update(
            packages=cpu.packages, physical_cores=cpu.cores, threads_per_core=-(-cpu.online // cpu.cores)
        )
    for name, part in (
        ("online_cpus", "online"),
        ("packages", "packages"),
        ("physical_cores", "cores"),
        ("threads_per_core", "cores"),
        ("numa_nodes", "nodes"),
        ("caches", "caches"),
    ):
        why[name] = seen.problems.get(part, "not in sysfs")
    if seen.nodes is not None:
        found["numa_nodes"] = tuple(
            NumaNode(node=node.number, cpus=cpulist.text_of(node.cpus)[:4096], memory_bytes=node.memory_bytes)
            for node in seen.nodes
        )
    if seen.caches is not None:
        found["caches"] = tuple(
            Cache.model_validate(
                {
                    "level": cache.level,
                    "kind": cache.kind,
                    "size_bytes": cache.size_bytes,
                    "shared_by_cpus": cache.shared_by,
                    "instances": cache.instances,
                }
            )
            for cache in seen.caches[:32]
        )
    events = None if seen.online is None else cpu_state.throttle_events(host, seen.online)
    found["throttle_events"] = events
    why["throttle_events"] = "no counters in sysfs: only Intel processors count, and virtual machines hide it"


def _state(host: Host, cpu: processors.Processors, found: dict[str, Any], why: dict[str, str]) -> None:
    now = cpu_state.frequency(host)
    found.update(
        governors=now.governors,
        energy_preferences=now.energy_preferences,
        frequency_driver=now.driver,
        frequency_min_mhz=now.min_mhz,
        frequency_max_mhz=now.max_mhz,
        frequency_now_mhz=cpu.frequency_mhz or now.now_mhz,
        mitigations=cpu_state.mitigations(host),
    )
    for name in (
        "governors",
        "energy_preferences",
        "frequency_driver",
        "frequency_min_mhz",
        "frequency_max_mhz",
    ):
        why[name] = now.problem or "its cpufreq driver does not say"
    why["frequency_now_mhz"] = f"neither {_CPUINFO} nor cpufreq says"
    why["mitigations"] = "the kernel does not list CPU vulnerabilities"
    if cpu.flags is not None and "fpu" in cpu.flags:
        found["virtualised"] = "hypervisor" in cpu.flags
    elif host.exists("/proc/device-tree/hypervisor"):
        found["virtualised"] = True
    why["virtualised"] = "only x86 has a flag for it"
    maker = (host.read_text_or_none("/sys/class/dmi/id/sys_vendor", limit_bytes=4 * KIB) or "").strip()[:128]
    found["hypervisor"] = maker if maker and found.get("virtualised") else None
    why["hypervisor"] = (
        "not a virtual machine" if found.get("virtualised") is False else "the firmware (DMI) does not say"
    )


def _builds(host: Host, machine: str | None, found: dict[str, Any], why: dict[str, str]) -> None:
    try:
        found["libc"] = (host.libc_version() or "")[:64] or None
        why["libc"] = "the C library does not say its version"
    except HostError as error:
        why["libc"] = error.text
    here, there = "scram_architectures", "scram_architectures_in_containers"
    if machine is None:
        why[here] = why[there] = "the architecture is not known"
        return
    level = found.get("x86_64_level")
    if machine == "x86_64" and level is None:
        why[here] = why[there] = "the flags of the processor are not known"
        return
    found[there] = scram.runnable(machine, level)
    glibc = scram.glibc_version(found.get("libc"))
    why[here] = "CMSSW is built for glibc, and its version here is not known"
    found[here] = None if glibc is None else scram.runnable(machine, level, glibc)


def summarise(facts: CpuFacts) -> str:
    """What the screen says: model, level or target, shape; at most 60 characters."""
    name = (facts.model_name or "processor not named").replace("(R)", "").replace("(TM)", "")
    name = name.split(" @")[0].removesuffix(" Processor").removesuffix(" CPU").split(",")[0]
    words = [name if len(name) <= 32 else name[:31] + "…"]
    if facts.x86_64_level is not None:
        words.append(f"x86-64-v{facts.x86_64_level}")
    if facts.packages is not None and facts.physical_cores is not None:
        threads = f", SMT{facts.threads_per_core}" if (facts.threads_per_core or 1) > 1 else ""
        words.append(f"{facts.packages} × {facts.physical_cores // max(facts.packages, 1)} cores{threads}")
    return ", ".join(words)[:60]


PROBE = Probe(
    name="cpu",
    title="processors: topology, instruction sets, frequency, SCRAM_ARCHs",
    section="Hardware",
    facts_model=CpuFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    # It reads some ten files a CPU: a busy emulated node of two took 4.3 s.
    deadline_s=10.0,
)
"""The probe, for the registry."""
