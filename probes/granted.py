"""How many cores we were granted: affinity, cpuset, quotas and claims, reconciled.

A library for probes, because the number of cores decides what is enough of other things.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from probes import claims
from probes.cgroup_limits import CgroupReader
from probes.errors import HostError
from probes.host import Host
from probes.settings import Settings
from profiles import cpulist
from profiles.facts.batch import SlotClaim
from profiles.facts.cores import CoresFacts, CoreSource

ONLINE = "/sys/devices/system/cpu/online"

SOURCE_WORDS = {
    "host": "the machine",
    "affinity": "the CPU affinity",
    "cpuset": "the cpuset",
    "quota": "the CPU quota",
}


def cores(host: Host, settings: Settings | None = None) -> CoresFacts:
    """Ask every source and reconcile them. Never raises; what cannot be read is a reason or a problem."""
    reader = CgroupReader(host)
    slots = claims.read_all(host, settings)
    sources = [
        _host(host),
        _affinity(host),
        _cpuset(reader),
        _quota(reader),
        *(_claim(slot) for slot in slots),
    ]
    online = sources[0]
    enforced = least(sources, "enforced")
    claimed = least(sources, "claim")
    effective = least_of(online, enforced, claimed)
    known = effective.cores is not None
    absent = {
        name: reason
        for name, missing, reason in (
            ("host_cpus", online.cores is None, online.note or ""),
            ("enforced_cores", enforced is None, "neither affinity, cpuset nor quota could be read"),
            ("claimed_cores", claimed is None, "no batch system says how many cores it granted"),
            ("effective_cores", not known, "no source gave a number of cores"),
            ("limited_by", not known, "no source gave a number of cores"),
            ("cgroup_version", reader.groups.version is None, "no control groups are mounted here"),
        )
        if missing
    }
    return CoresFacts(
        host_cpus=None if online.cores is None else int(online.cores),
        enforced_cores=None if enforced is None else enforced.cores,
        claimed_cores=None if claimed is None else claimed.cores,
        effective_cores=effective.cores,
        limited_by=effective.name if known else None,
        why=why(sources, effective),
        sources=tuple(sources[:64]),
        cgroup_version=reader.groups.version,
        problems=(*reader.problems, *_problems(slots))[:128],
        absent=absent,
    )


def least(sources: Iterable[CoreSource], kind: str) -> CoreSource | None:
    """The source of a kind that gives the fewest cores; the first of equals."""
    found = [source for source in sources if source.kind == kind and source.cores is not None]
    return min(found, key=lambda source: source.cores or 0.0, default=None)


def least_of(online: CoreSource, enforced: CoreSource | None, claimed: CoreSource | None) -> CoreSource:
    """The source that limits: the machine itself if nothing grants less, and the kernel before a claim."""
    known = [
        source for source in (online, enforced, claimed) if source is not None and source.cores is not None
    ]
    return min(known, key=lambda source: source.cores or 0.0, default=online)


def number(value: float) -> str:
    """Cores as people write them: 8, 1.5, 0.25."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def why(sources: Sequence[CoreSource], effective: CoreSource) -> str:
    """One sentence that says what limits, and by how much the other sources differ."""
    if effective.cores is None:
        return "No source says how many cores there are."
    grants = effective.kind == "claim"
    verb = {"host": "has", "enforced": "allows", "claim": "grants"}[effective.kind]
    subject = f"{SOURCE_WORDS.get(effective.name, effective.name)} {verb}"
    where = f" ({effective.evidence[0]})" if effective.evidence and effective.name == "quota" else ""
    others: dict[str, list[str]] = {}
    for source in sources[:32]:
        if source.cores is not None and number(source.cores) != number(effective.cores):
            others.setdefault(number(source.cores), []).append(source.name)
    said = [
        f"{_and(names)} {'says' if len(names) == 1 else 'say'} {cores}" for cores, names in others.items()
    ]
    sentence = f"{subject} {number(effective.cores)}{where}"
    if not said:
        return f"{sentence[0].upper()}{sentence[1:]}; no source says otherwise."
    loose = "; the kernel would let a job use more" if grants else ""
    return f"{sentence[0].upper()}{sentence[1:]}, while {', '.join(said)}{loose}."


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _host(host: Host) -> CoreSource:
    try:
        text = host.read_text(ONLINE, limit_bytes=65_536)
    except HostError as error:
        return CoreSource(name="host", kind="host", cores=None, note=f"{ONLINE}: {error.text}"[:4096])
    cpus = cpulist.parse(text)
    if not cpus:
        return CoreSource(name="host", kind="host", cores=None, note=f"{ONLINE} is not a list of CPUs")
    return CoreSource(
        name="host", kind="host", cores=len(cpus), cpus=cpulist.text_of(cpus)[:4096], evidence=(ONLINE,)
    )


def _affinity(host: Host) -> CoreSource:
    try:
        cpus = host.affinity()
    except HostError as error:
        return CoreSource(name="affinity", kind="enforced", cores=None, note=error.text[:4096])
    return _named("affinity", cpus, "sched_getaffinity(2)")


def _cpuset(reader: CgroupReader) -> CoreSource:
    found = reader.cpuset()
    if found is None:
        return CoreSource(name="cpuset", kind="enforced", cores=None, note="no cpuset controller here")
    return _named("cpuset", found.cpus, found.path)


def _named(name: str, cpus: frozenset[int], evidence: str) -> CoreSource:
    if not cpus:
        return CoreSource(name=name, kind="enforced", cores=None, note=f"{evidence} gave an empty set")
    listed = cpulist.text_of(cpus)[:4096]
    return CoreSource(name=name, kind="enforced", cores=len(cpus), cpus=listed, evidence=(evidence,))


def _quota(reader: CgroupReader) -> CoreSource:
    quotas = reader.cpu_quotas()
    if not quotas:
        return CoreSource(
            name="quota", kind="enforced", cores=None, note="no level of the cgroup sets a quota"
        )
    tightest = min(quotas, key=lambda quota: quota.cores)
    ordered = sorted(quotas, key=lambda quota: quota is not tightest)
    return CoreSource(
        name="quota",
        kind="enforced",
        cores=tightest.cores,
        evidence=tuple(f"{quota.path}: {number(quota.cores)} cores"[:4096] for quota in ordered[:64]),
        note="CPU time, not CPUs: more threads than this are throttled",
    )


def _claim(slot: SlotClaim) -> CoreSource:
    note = None if slot.cores is not None else "does not say how many cores it granted"
    return CoreSource(
        name=slot.source.value, kind="claim", cores=slot.cores, evidence=slot.evidence, note=note
    )


def _problems(slots: Sequence[SlotClaim]) -> tuple[str, ...]:
    # Where the number is known, what else the source could not say is the batch probe's business.
    return tuple(problem for slot in slots if slot.cores is None for problem in slot.problems)
