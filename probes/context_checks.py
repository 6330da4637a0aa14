"""What is asked of the environment: CTX-01, 02, 04 to 07, and the verdicts. Part of the context probe."""

from __future__ import annotations

import re
from typing import Final

from probes.judging import Judging
from probes.spec import Bound, Check
from profiles.checks import CheckResult
from profiles.facts.batch import BatchFacts
from profiles.facts.context import ContextFacts, Runtime, SiteNameSource
from profiles.facts.cores import CoresFacts

NO_OUTBOUND: Final = "the no-outbound profile asks no resolver"

CMS_SITE: Final = re.compile(r"T[0-3]_[A-Z]{2}_[A-Za-z0-9_]{1,48}")
"""CMS site names: tier, country, place."""

OWN_NAMESPACE: Final = frozenset({Runtime.DOCKER, Runtime.PODMAN, Runtime.CONTAINERD, Runtime.KUBERNETES})
"""Runtimes that give the container a host name of its own; Apptainer keeps that of the node."""

CHECKS: Final[tuple[Check, ...]] = (
    Check(
        id="CTX-01",
        title="Execution context",
        rule="Information: which container runtime we are in. UNKNOWN if it cannot be told.",
        origin="glideinWMS and OSG node tests",
        hint="Mount /proc into the container.",
        why="What a probe sees of CPUs, memory, disks and devices is what the container shows it; the same "
        "number means something else on the bare node.",
    ),
    Check(
        id="CTX-02",
        title="Site name",
        rule="WARNING if the sources disagree (configuration, pilot, SITECONF, batch system), or if the "
        "configured name is not of the form T2_XX_Name.",
        origin="PSST siteconf test",
        hint="Make the configuration and SITECONF (site-local-config.xml) use the name that CRIC has.",
        why="Jobs read another site's data and write to another site's storage if SITECONF is not that of "
        "their site, and monitoring counts them there.",
    ),
    Check(
        id="CTX-04",
        title="Operating system",
        rule="WARNING if the kernel is older than major version 4, as on EL7.",
        origin="OSG node requirements",
        hint="Move the node to EL9 or a later release.",
        why="Kernels 3.x have no unprivileged FUSE mounts and lack what Apptainer needs to run images without "
        "setuid; EL7 gets no security updates since June 2024.",
        bounds=(Bound(name="warn_below_kernel_major", default=4, origin="EL7 has 3.10, EL8 has 4.18"),),
    ),
    Check(
        id="CTX-05",
        title="Load",
        rule="WARNING if the load average over 1 minute, less what the agent itself causes, is above 1.0 for "
        "each CPU of the machine. Never CRITICAL: a full node is what a site wants.",
        origin="PSST computes it; OSG withdrew its test for false positives",
        hint="Look for processes of jobs that are gone, for jobs that use more cores than they were granted, "
        "and for tasks in uninterruptible sleep (ps -eo state,pid,cmd).",
        why="More runnable tasks than CPUs slow every job on the node, so that time limits are missed.",
        bounds=(
            Bound(name="warn_above_per_cpu", default=1.0, origin="PSST: load against number of CPUs"),
            Bound(name="own_load", default=1.0, origin="sitecap: one busy agent"),
        ),
    ),
    Check(
        id="CTX-06",
        title="Time left",
        rule="WARNING if the slot ends in less than 1800 s.",
        origin="glideinWMS drain rule",
        hint="Nothing if the node drains for maintenance; else give pilots a longer wall time.",
        why="A payload that starts now would be killed before it has done anything useful.",
        bounds=(Bound(name="warn_below_s", default=1800, origin="glideinWMS: preempted below 1800 s"),),
    ),
    Check(
        id="CTX-07",
        title="Host name",
        rule="WARNING unless the fully qualified name of the host resolves to an address that leads back to "
        "it. SKIPPED in containers that have a name of their own and in the no-outbound profile.",
        origin="sitecap",
        hint="Put the node into DNS, forwards and backwards.",
        why="TLS services on the node and daemons that authorise by host name refuse a host whose name and "
        "address do not match. A job that only goes out does not need it.",
    ),
)


def judge(facts: ContextFacts, judging: Judging) -> list[CheckResult]:
    """One verdict for each check of the catalogue."""
    return [
        _runtime(facts, judging),
        _site(facts, judging),
        _system(facts, judging),
        _load(facts, judging),
        _time_left(judging),
        _host_name(facts, judging),
    ]


def summarise(facts: ContextFacts) -> str:
    """System and container runtime, e.g. "AlmaLinux 9.4 in apptainer"."""
    system = (facts.os_pretty_name or "unnamed system")[:40]
    if facts.runtime is None:
        return system
    return (
        f"{system}, no container" if facts.runtime is Runtime.NONE else f"{system} in {facts.runtime.value}"
    )


def _runtime(facts: ContextFacts, judging: Judging) -> CheckResult:
    if facts.runtime is None:
        reason = facts.absent.get("runtime", "the container runtime cannot be told")
        return judging.unknown("CTX-01", reason, evidence=facts.runtime_evidence)
    inside = facts.runtime is not Runtime.NONE
    text = f"in a container of {facts.runtime.value}" if inside else "not in a container"
    return judging.ok("CTX-01", text, value=facts.runtime.value, evidence=facts.runtime_evidence)


def _site(facts: ContextFacts, judging: Judging) -> CheckResult:
    said = [(name.source.value, name.name) for name in facts.site_names]
    batch = judging.facts_of("batch", BatchFacts)
    said += [
        (claim.source.value, claim.site_name) for claim in (batch.claims if batch else ()) if claim.site_name
    ]
    evidence = [f"{source}: {name}" for source, name in said]
    configured = [name for source, name in said if source == SiteNameSource.CONFIGURATION.value]
    if configured and CMS_SITE.fullmatch(configured[0]) is None:
        text = f"the configured site name {configured[0]} is not of the form T2_XX_Name"
        return judging.warn("CTX-02", text, evidence=evidence)
    # GLIDEIN_Site may be a name of OSG; two naming schemes are no disagreement.
    names = sorted({name for _, name in said if CMS_SITE.fullmatch(name)})
    if not names:
        return judging.skip("CTX-02", "no source gives a CMS site name")
    if len(names) > 1:
        return judging.warn(
            "CTX-02", f"this site has {len(names)} names: {', '.join(names)}", evidence=evidence
        )
    return judging.ok("CTX-02", f"this is {names[0]}", value=names[0], evidence=evidence)


def _system(facts: ContextFacts, judging: Judging) -> CheckResult:
    release = facts.kernel_release
    match = re.match(r"([0-9]{1,4})\.", release or "")
    if release is None or match is None:
        reason = facts.absent.get("kernel_release", f"the kernel release {release!r:.80} has no number")
        return judging.unknown("CTX-04", reason)
    words = [
        facts.os_pretty_name or "unnamed system",
        f"kernel {release}",
        facts.libc or facts.agent_libc or "",
    ]
    text = ", ".join(word for word in words if word)
    evidence = [f"libc: {facts.libc} by {facts.libc_source}"] if facts.libc else []
    old = int(match[1]) < judging.number("CTX-04", "warn_below_kernel_major")
    return (judging.warn if old else judging.ok)("CTX-04", text, value=release, evidence=evidence)


def _load(facts: ContextFacts, judging: Judging) -> CheckResult:
    check_id, load = "CTX-05", facts.load_1min
    if load is None:
        return judging.unknown(check_id, facts.absent.get("load_1min", "the load is not known"))
    evidence = (
        [f"/proc/loadavg: {load:g} {facts.load_5min:g} {facts.load_15min:g}"]
        if facts.load_5min is not None
        else []
    )
    evidence += [
        f"{item.resource}: tasks waited {item.some_percent:g} % of a minute" for item in facts.pressure or ()
    ]
    cores = judging.facts_of("cores", CoresFacts)
    if cores is None or not cores.host_cpus:
        return judging.unknown(
            check_id, f"load {load:g}, but on how many CPUs is not known", evidence=evidence
        )
    others = max(0.0, load - judging.number(check_id, "own_load"))
    text = f"load {load:g} on {cores.host_cpus} CPUs"
    high = others > cores.host_cpus * judging.number(check_id, "warn_above_per_cpu")
    return (judging.warn if high else judging.ok)(check_id, text, value=load, unit="1", evidence=evidence)


def _time_left(judging: Judging) -> CheckResult:
    check_id, batch = "CTX-06", judging.facts_of("batch", BatchFacts)
    if batch is None:
        return judging.unknown(check_id, "what the batch system says was not read")
    if batch.ends_at is None:
        return judging.skip(check_id, batch.absent.get("ends_at", "no source says when the slot ends"))
    if batch.observed_at is None:
        return judging.unknown(
            check_id, batch.absent.get("observed_at", "the time of the claims is not known")
        )
    left_s = (batch.ends_at - batch.observed_at).total_seconds()
    source = batch.ends_at_source.value if batch.ends_at_source else "a claim"
    evidence = [f"{source}: ends at {batch.ends_at.isoformat()}"]
    text = f"the slot ends in {left_s / 3600:.1f} h" if left_s >= 0 else f"the slot ended {-left_s:.0f} s ago"
    few = left_s < judging.number(check_id, "warn_below_s")
    return (judging.warn if few else judging.ok)(check_id, text, value=left_s, unit="s", evidence=evidence)


def _host_name(facts: ContextFacts, judging: Judging) -> CheckResult:
    check_id = "CTX-07"
    if judging.settings.site_profile == "no-outbound":
        return judging.skip(check_id, NO_OUTBOUND)
    if facts.runtime in OWN_NAMESPACE:
        return judging.skip(check_id, "the container has a host name of its own")
    if facts.name_is_qualified is None or facts.name_resolves is None:
        return judging.unknown(check_id, facts.absent.get("name_is_qualified", "the resolver was not asked"))
    if not facts.name_is_qualified:
        return judging.warn(check_id, "the resolver gives this host no name with a domain")
    if not facts.name_resolves:
        return judging.warn(check_id, "the name of this host has no address")
    if facts.name_is_loopback_only:
        return judging.warn(check_id, "the name of this host leads to the loopback only")
    if facts.address_names_host is None:
        return judging.unknown(
            check_id, facts.absent.get("address_names_host", "the address was not looked up")
        )
    if not facts.address_names_host:
        return judging.warn(check_id, "the address of this host does not lead back to its name")
    return judging.ok(check_id, "the name of this host resolves both ways")
