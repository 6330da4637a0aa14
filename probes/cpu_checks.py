"""The catalogue of the `cpu` probe: CPU-02 to CPU-08."""

from __future__ import annotations

from probes.spec import Bound, Check

CHECKS = (
    Check(
        id="CPU-02",
        title="processor topology",
        rule="OK: packages, cores, SMT, NUMA nodes and caches are told. WARNING: a batch system granted more cores "
        "than there are physical cores while SMT is on, so it counts threads as cores.",
        origin="ReFrame and hwloc tell the same; policy of sitecap for the WARNING",
        hint="Count cores, not threads, as slots, or publish the HS23 benchmark per thread.",
        why="Two threads of one core share its caches and its floating point units. A job that is given a thread "
        "for a core runs slower than its estimate of run time was made with.",
    ),
    Check(
        id="CPU-03",
        title="architecture",
        rule="OK: x86_64, aarch64 or ppc64le. CRITICAL: any other.",
        origin="WMCore's map of SCRAM_ARCH to HTCondor's Arch",
        hint="Take this node out of the CMS resources: there is no CMSSW for its architecture.",
        why="CMSSW is built for three architectures. The job's requirements name the architecture in HTCondor's "
        "spelling (X86_64, aarch64, ppc64le), so on another one no job matches.",
    ),
    Check(
        id="CPU-04",
        title="micro-architecture level",
        rule="x86-64: WARNING below v3, CRITICAL below v2. ARM and POWER have no levels: OK with their name.",
        origin="CMSSW 15_0 and later default to v3, 14_x to v2; Enterprise Linux 9 needs v2 and 10 needs v3",
        hint="Keep old nodes for old releases: let the site's START expression ask for the level that jobs require "
        "(REQUIRED_MINIMUM_MICROARCH).",
        why="A program built for a higher level stops with an illegal instruction at its first use, or runs the "
        "slower build where the release carries both.",
        bounds=(
            Bound(name="warn_below_level", default=3, origin="default of CMSSW 15_0 and later"),
            Bound(name="critical_below_level", default=2, origin="default of CMSSW 14_x; Enterprise Linux 9"),
        ),
    ),
    Check(
        id="CPU-05",
        title="masked flags",
        rule="WARNING: the processor's model is known to reach a higher x86-64 level than its flags show.",
        origin="archspec-json#38, EESSI software-layer#320 and #322: flags hidden by the hypervisor",
        hint="Give the virtual machine the real processor (CPU model host-passthrough, VMware: raise EVC); on bare "
        "metal look for a BIOS or kernel setting that turns AVX off (clearcpuid, noxsave).",
        why="Jobs choose their build by the flags they see. A masked flag makes a new node run as an old one.",
    ),
    Check(
        id="CPU-06",
        title="frequency",
        rule="WARNING: the powersave governor, except with the drivers intel_pstate and amd-pstate-epp, where that "
        "is the normal one; there an energy preference of power is a WARNING. Throttling events are told. "
        "SKIPPED where the kernel does not choose the frequency, as in virtual machines.",
        origin="Linux admin-guide/pm/cpufreq.rst and intel_pstate.rst; PanDA notes that ARM and VMs have no clock",
        hint="Set the performance governor: cpupower frequency-set -g performance, or tuned-adm profile "
        "throughput-performance.",
        why="The powersave governor of acpi-cpufreq holds the lowest frequency whatever the load is; such a node "
        "runs slower than it was benchmarked.",
    ),
    Check(
        id="CPU-07",
        title="mitigations",
        rule="OK: tells whether this is a virtual machine and which CPU vulnerabilities the kernel calls open.",
        origin="OSG node checks; Linux admin-guide/hw-vuln",
        hint="Update the microcode and the kernel.",
        why="Mitigations cost time in system calls, and open vulnerabilities let one job read another's memory. "
        "Both are the site's decision, so this only informs.",
    ),
    Check(
        id="CPU-08",
        title="runnable SCRAM_ARCHs",
        rule="OK: a container of its OS can run the current production SCRAM_ARCH on this processor, or another "
        "build on ARM and POWER. WARNING: none of them. CMS jobs bring their OS as a container image.",
        origin="WMCore Scram.py; cms-sw/cms-bot config.map and pull request #2783",
        hint="New releases will not run here: keep the node for releases of older SCRAM_ARCHs.",
        why="A job asks for the SCRAM_ARCH of its release; where that does not run, no job of new campaigns does.",
        bounds=(
            Bound(
                name="production_amd64",
                default="el9_amd64_gcc13",
                origin="production architecture of CMSSW_20_1_X, cms-bot#2783 (2026-06)",
            ),
        ),
    ),
)
"""In the order in which they are judged."""
